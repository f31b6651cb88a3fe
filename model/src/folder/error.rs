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
        "config.json has format {0}, this program knows formats 1 and 2: use a newer version of imageclassifier"
    )]
    Format(u32),
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
        "config.json and model.safetensors disagree about the base's digest: copy both files again"
    )]
    BaseDigest,
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
