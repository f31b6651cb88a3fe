use std::{io, path::PathBuf};

/// The weights in a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the weights in {}", path.display())]
pub struct WeightsFileError {
    /// The file.
    pub path: PathBuf,
    /// The reason.
    pub source: WeightsError,
}

/// Why a file gives no [`Weights`](crate::Weights). Every message says what the owner of the file can do.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The system cannot read the file.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// The file is too long to be weights of ours.
    #[error(
        "it has more than {bytes_max} bytes, over twice what the largest network has: {}",
        HELP
    )]
    TooLarge {
        /// The longest file that is read.
        bytes_max: u64,
    },
    /// The file is not safetensors, or a part of it is missing.
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
        /// The number of blocks found.
        found: usize,
    },
    /// The network was trained on other classes than those of the labels.
    #[error(
        "it tells {found} classes apart, and the labels are those of ImageNet's {expected}: use weights that were trained on ImageNet-1k"
    )]
    Classes {
        /// The number of labels.
        expected: usize,
        /// The number of classes found.
        found: usize,
    },
    /// A layer is incomplete.
    #[error("{tensor:?} of {network} is missing: {HELP}")]
    Missing {
        /// The variant that it resembles most.
        network: &'static str,
        /// Name of the missing tensor.
        tensor: String,
    },
    /// A layer belongs to another network.
    #[error("{tensor:?} has the shape {found:?}, in {network} it has {expected:?}: {HELP}")]
    Shape {
        /// The variant that it resembles most.
        network: &'static str,
        /// Name of the tensor.
        tensor: String,
        /// The shape that the network requires.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor is stored in another number format.
    #[error("{tensor:?} is stored as {found}: store every tensor as F32")]
    Type {
        /// Name of the tensor.
        tensor: String,
        /// The number format in the file.
        found: String,
    },
    /// A tensor does not belong to the network: without it, the file would hold another network.
    #[error("{tensor:?} is no layer of {network}: {HELP}")]
    Unexpected {
        /// The variant that it resembles most.
        network: &'static str,
        /// Name of the surplus tensor.
        tensor: String,
    },
    /// A value is NaN or infinite.
    #[error("{tensor:?} holds a value that is no finite number: the file is damaged, get it anew")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
    },
}

const HELP: &str =
    "use a file that model/convert/weights.py writes, as `cargo xtask weights lite1` has it do";
