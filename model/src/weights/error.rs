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
    /// The file is longer than any supported weights.
    #[error(
        "it has more than {bytes_max} bytes, over twice the size of the largest network: {}",
        HELP
    )]
    TooLarge {
        /// The longest file that is read.
        bytes_max: u64,
    },
    /// The file is not safetensors, or a part of it is missing.
    #[error("it is not a complete safetensors file ({0}): {HELP}")]
    NotSafetensors(String),
    /// None of its tensors belongs to a block.
    #[error(
        "it is not an EfficientNet-Lite: it has no layers blocks.0, blocks.1 and so on; {HELP}"
    )]
    NoBlocks,
    /// One of the family's larger members, or another network.
    #[error(
        "it has a network of {found} blocks. EfficientNet-Lite0 has 16, Lite1 and Lite2 have 21; Lite3, Lite4 and other networks are not supported: {HELP}"
    )]
    Blocks {
        /// The number of blocks found.
        found: usize,
    },
    /// The network was trained on other classes than the labels'.
    #[error(
        "it has {found} classes, ImageNet-1k has {expected}: use weights that were trained on ImageNet-1k"
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
    #[error("{tensor:?} has the shape {found:?}, {network} needs {expected:?}: {HELP}")]
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
    #[error("{tensor:?} is not a layer of {network}: {HELP}")]
    Unexpected {
        /// The variant that it resembles most.
        network: &'static str,
        /// Name of the surplus tensor.
        tensor: String,
    },
    /// A value is NaN or infinite.
    #[error(
        "{tensor:?} has a value that is not finite: the file is corrupt, download or convert it again"
    )]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
    },
}

const HELP: &str = "use a file that `cargo xtask weights` or model/convert/weights.py has written";
