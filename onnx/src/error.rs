use std::fmt;

use imageclassifier_kernels::GraphError;

/// Why a file is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnnxError {
    /// It is not an ONNX file, or damaged.
    Malformed(String),
    /// A layer cannot be used, or the network as a whole.
    Layer(GraphError),
}

impl OnnxError {
    pub(crate) fn malformed(problem: impl Into<String>) -> Self {
        Self::Malformed(problem.into())
    }

    pub(crate) fn layer(layer: &str, problem: impl Into<String>) -> Self {
        Self::Layer(GraphError::new(layer, problem))
    }
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => write!(f, "it is not a complete ONNX file: {problem}"),
            Self::Layer(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OnnxError {}

impl From<GraphError> for OnnxError {
    fn from(error: GraphError) -> Self {
        Self::Layer(error)
    }
}
