use std::{io, path::PathBuf};

/// That the weights in a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the weights in {}", path.display())]
pub struct WeightsFileError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: WeightsError,
}

/// Why a file gives no [`Weights`](crate::Weights). Every case says what whoever has the file can do.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The system does not give it.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// It is no weights of ours.
    #[error(
        "it has more than {bytes_max} bytes, over twice what the largest network has: {}",
        HELP
    )]
    TooLarge {
        /// The most that is read.
        bytes_max: u64,
    },
    /// Whatever it is, or a part of it is missing.
    #[error("it is no whole safetensors file ({0}): {HELP}")]
    NotSafetensors(String),
    /// None of its tensors belongs to a block.
    #[error("it holds no EfficientNet-Lite, for it has no layers blocks.0 and on: {HELP}")]
    NoBlocks,
    /// One of the family's larger members, or another network.
    #[error(
        "it holds a network of {found} blocks. EfficientNet-Lite0 has 16, Lite1 and Lite2 have 21; others, as Lite3 and Lite4, cannot be used: {HELP}"
    )]
    Blocks {
        /// How many there are.
        found: usize,
    },
    /// It was trained on other classes than those that the labels name.
    #[error(
        "it tells {found} classes apart, and the labels are those of ImageNet's {expected}: use weights that were trained on ImageNet-1k"
    )]
    Classes {
        /// How many the labels name.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A layer is incomplete.
    #[error("{tensor:?} of {network} is missing: {HELP}")]
    Missing {
        /// The variant that it resembles most.
        network: &'static str,
        /// What is not there.
        tensor: String,
    },
    /// A layer is of another network.
    #[error("{tensor:?} has the shape {found:?}, in {network} it has {expected:?}: {HELP}")]
    Shape {
        /// The variant that it resembles most.
        network: &'static str,
        /// Which.
        tensor: String,
        /// As it has to be.
        expected: Vec<usize>,
        /// As it is.
        found: Vec<usize>,
    },
    /// Numbers are stored in another form.
    #[error("{tensor:?} is stored as {found}: store every tensor as F32")]
    Type {
        /// Which.
        tensor: String,
        /// As it is.
        found: String,
    },
    /// There is more than the network has: it would be another one without.
    #[error("{tensor:?} is no layer of {network}: {HELP}")]
    Unexpected {
        /// The variant that it resembles most.
        network: &'static str,
        /// What is too much.
        tensor: String,
    },
    /// NaN or an infinity.
    #[error("{tensor:?} holds a value that is no finite number: the file is damaged, get it anew")]
    NotFinite {
        /// Where.
        tensor: String,
    },
}

const HELP: &str =
    "use a file that model/convert/weights.py writes, as `cargo xtask weights lite1` has it do";
