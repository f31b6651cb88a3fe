//! The network of a source: ONNX, or the weights of a named architecture.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use imageclassifier_checkpoints::{Checkpoint, CheckpointError};
use imageclassifier_model::NetworkFile;
use imageclassifier_onnx::{Model, OnnxError};

use super::{
    architecture::architecture,
    source::{Contents, Source},
};
use crate::args;

/// A network that was read once, to find what it says about itself.
pub(super) struct Network {
    pub(super) file: NetworkFile,
    /// Side of the input.
    pub(super) input_size: u32,
    pub(super) classes: usize,
    /// Whether the file's output was a softmax.
    pub(super) had_softmax: bool,
    /// What an exporter wrote into an ONNX file.
    pub(super) metadata: BTreeMap<String, String>,
    /// The program that wrote an ONNX file.
    pub(super) producer: Option<String>,
}

impl Network {
    /// # Errors
    /// If the file cannot be used, or something about it is not known: what to write.
    pub(super) fn read(
        args: &args::Import,
        source: &Source,
        contents: Contents,
    ) -> Result<Self, String> {
        let input_size = args.input_size.or(source.input_size());
        let network = match contents {
            Contents::Onnx(onnx) => {
                if args.architecture.is_some() {
                    return Err(format!(
                        "--architecture is for weights, but {} is read as ONNX: rename it to .safetensors or .pth",
                        source.file.display()
                    ));
                }
                let network = of_onnx(onnx, input_size);
                network.map_err(|error| format!("{}: {error}", source.file.display()))?
            }
            Contents::Checkpoint(weights) => of_checkpoint(args, source, weights, input_size)?,
        };
        if args
            .input_size
            .is_some_and(|wanted| wanted != network.input_size)
        {
            return Err(format!(
                "the network's input is {} pixels wide: leave out --input-size",
                network.input_size
            ));
        }
        Ok(network)
    }
}

fn of_onnx(onnx: Bytes, input_size: Option<u32>) -> Result<Network, OnnxError> {
    let model = Model::parse(&onnx)?;
    let network = model.network(input_size.map(|size| size as usize))?;
    let metadata = model.metadata().iter();
    let metadata = metadata.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Ok(Network {
        file: NetworkFile::Onnx(onnx.clone()),
        input_size: u32::try_from(network.graph.input_shape()[2]).unwrap_or(u32::MAX),
        classes: network.graph.output_shape()[1],
        had_softmax: network.had_softmax,
        metadata: metadata.collect(),
        producer: Some(model.producer().to_owned()),
    })
}

fn of_checkpoint(
    args: &args::Import,
    source: &Source,
    file_bytes: Bytes,
    input_size: Option<u32>,
) -> Result<Network, String> {
    let file = source.file.display();
    let unusable = |error: CheckpointError| format!("{file}: {error}");
    let checkpoint = Checkpoint::parse(&file_bytes).map_err(unusable)?;
    let architecture = architecture(args, source)?;
    let input_size = input_size
        .ok_or("nothing says how wide the input is: give --input-size, for most networks 224")?;
    let graph = checkpoint.graph(architecture, input_size as usize);
    let classes = graph
        .map(|graph| graph.output_shape()[1])
        .map_err(|error| {
            format!(
                "{file} does not have the weights of {}: {error}",
                architecture.name()
            )
        })?;
    let weights = match checkpoint.to_safetensors().map_err(unusable)? {
        Cow::Borrowed(_) => file_bytes.clone(),
        Cow::Owned(weights) => weights.into(),
    };
    Ok(Network {
        file: NetworkFile::Checkpoint {
            architecture,
            weights,
        },
        input_size,
        classes,
        had_softmax: false,
        metadata: BTreeMap::new(),
        producer: None,
    })
}
