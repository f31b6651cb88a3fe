//! Weights of named architectures: tensors or an error, whatever the bytes.

use imageclassifier_checkpoints::{Architecture, Checkpoint};

/// Reads `data` as safetensors or as a file of `torch.save`.
pub fn run(data: &[u8]) {
    let Ok(checkpoint) = Checkpoint::parse(data) else {
        return;
    };
    if let Ok(converted) = checkpoint.to_safetensors() {
        let again = Checkpoint::parse(&converted).expect("it was just written");
        assert_eq!(again.to_safetensors().expect("it is the same"), converted);
    }
    for architecture in Architecture::all() {
        if let Ok(graph) = checkpoint.graph(architecture, 32) {
            assert_eq!(graph.output_shape()[0], 1);
        }
    }
}
