use std::{io, path::PathBuf};

use crate::HeadError;

/// A model folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the model folder {}: {source}", path.display())]
pub struct ModelFolderError {
    /// The folder.
    pub path: PathBuf,
    /// What is wrong.
    pub source: ModelFolderProblem,
}

/// What is wrong with a model folder.
#[derive(Debug, thiserror::Error)]
pub enum ModelFolderProblem {
    /// A name that cannot be in URLs and paths.
    #[error(
        "{0:?} is no name for a model: use 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit"
    )]
    Name(String),
    /// A file that is missing or cannot be read.
    #[error("cannot read {file}: {source}")]
    Unreadable {
        /// The file.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A file that is larger than any model's.
    #[error("{file} is larger than {bytes_max} bytes")]
    TooLarge {
        /// The file.
        file: &'static str,
        /// The limit.
        bytes_max: u64,
    },
    /// A file or the folder cannot be written.
    #[error("cannot write it: {0}")]
    Unwritable(io::Error),
    /// `config.json` is malformed.
    #[error("config.json is malformed: {0}")]
    Config(String),
    /// `config.json` is of a later version.
    #[error(
        "config.json has format {0}, this program knows formats 1 to 3: use a newer version of imageclassifier"
    )]
    Format(u32),
    /// The model's own network is not in the folder.
    #[error(
        "config.json is of a model with a network of its own, but neither model.onnx nor network.safetensors is there: copy the whole folder"
    )]
    NetworkMissing,
    /// A network in the folder of a model that has none.
    #[error(
        "config.json is of a model without a network of its own, but the folder has one: copy the whole folder into an empty one"
    )]
    NetworkUnexpected,
    /// The network is not one of ours.
    #[error("it was trained on {0:?}, which this program does not have")]
    UnknownBase(String),
    /// Images were prepared in another way.
    #[error(
        "its images were prepared by version {found:?} of the preprocessing, this program has {expected:?}: train it again"
    )]
    Preprocessing {
        /// The version in the folder.
        found: String,
        /// The version of this program.
        expected: String,
    },
    /// `model.safetensors` is malformed.
    #[error("model.safetensors is malformed: {0}")]
    Tensors(String),
    /// The files are not of one model.
    #[error(
        "model.safetensors was not trained on the network and preprocessing of the folder's other files: copy all files again, or train again"
    )]
    BaseDigest,
    /// A head for other features.
    #[error(
        "model.safetensors is for {head_channels} features, but the network has {network_channels}: copy all files again, or train again"
    )]
    Channels {
        /// Features that the head is for.
        head_channels: usize,
        /// Features of the network.
        network_channels: usize,
    },
    /// A network without features for the head.
    #[error(
        "{file} has no features for model.safetensors, because it does not end with global average pooling and a linear layer: train on another network"
    )]
    NoFeatures {
        /// The file with the network.
        file: &'static str,
    },
    /// Plain loops keep no features.
    #[error(
        "a head on a network of the model's own needs kernels: leave out --kernel plain and --backend"
    )]
    NoKernels,
    /// The file with an imported network cannot be used.
    #[error("{file} cannot be used: {problem}")]
    Network {
        /// The file.
        file: &'static str,
        /// Why.
        problem: String,
    },
    /// The numbers do not make a head.
    #[error("model.safetensors does not fit config.json: {0}")]
    Head(#[from] HeadError),
}
