use std::fmt;

use imageclassifier_kernels::GraphError;

/// Why a checkpoint is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It is not a checkpoint, damaged or unsupported.
    Malformed(String),
    /// A layer cannot be used, or the network as a whole.
    Layer(GraphError),
}

impl CheckpointError {
    pub(crate) fn malformed(problem: impl Into<String>) -> Self {
        Self::Malformed(problem.into())
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => {
                write!(f, "the checkpoint is damaged or unsupported: {problem}")
            }
            Self::Layer(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckpointError {}

impl From<GraphError> for CheckpointError {
    fn from(error: GraphError) -> Self {
        Self::Layer(error)
    }
}
