//! ONNX files: a network or an error, whatever the bytes.

use imageclassifier_kernels::{Isa, Program, ThreadTeam};
use imageclassifier_onnx::{Model, inline_external_data};

/// Multiply-adds of a network that is run, at most: those of a mutated seed are few.
const MACS_MAX: u64 = 1 << 20;
/// Memory of a network that is run, at most: less than fuzzers are allowed. Networks may take more.
const BUFFER_BYTES_MAX: usize = 1 << 25;

/// Reads `data` as an ONNX file.
pub fn run(data: &[u8]) {
    let Ok(model) = Model::parse(data) else {
        return;
    };
    let inlined = inline_external_data(data, |_, _, _| Err("no other file".to_owned()));
    assert!(inlined.is_ok() || model.has_external_data());
    if let Ok(network) = model.network(Some(32)) {
        assert_eq!(network.graph.output_shape()[0], 1);
        // Fusing keeps the function's type.
        let shape = network.graph.output_shape().to_vec();
        let graph = network.graph.fused();
        assert_eq!(graph.output_shape(), shape);
        let elements: usize = graph.input_shape().iter().product();
        if graph.total_macs() > MACS_MAX || elements > 1 << 16 {
            return;
        }
        if let Ok(program) = Program::new(Isa::detect(), graph)
            && program.buffer_bytes() <= BUFFER_BYTES_MAX
        {
            let mut buffers = program.buffers();
            let input = vec![0.5; program.input_len()];
            let output = program.run(&mut ThreadTeam::solo(), &mut buffers, &input);
            assert_eq!(output.len(), shape[1]);
        }
    }
}
