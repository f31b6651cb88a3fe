//! Why a layer cannot be built.

use std::fmt;

use crate::Isa;

/// A layer, or the network, cannot be built from what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// This machine, or this build, lacks the instruction set.
    IsaUnavailable(Isa),
    /// A weight or a bias has another number of elements than its layer's shape says.
    Length {
        /// The layer, named as in the reference implementation (`conv_stem`, `depthwise_conv`, `fc`, …).
        layer: &'static str,
        /// What it should have.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// The weights have another number of blocks than the architecture.
    Blocks {
        /// Blocks of the architecture.
        expected: usize,
        /// Blocks of the weights.
        found: usize,
    },
    /// A shape that the kernels do not support, in words.
    Unsupported(&'static str),
    /// A layer of a graph cannot be planned, although the graph was checked: a bug of this crate.
    Planner {
        /// The layer, as the file calls it.
        layer: String,
        /// What the planner finds there, in words.
        problem: &'static str,
    },
    /// A shape whose buffers are larger than an allocation can be.
    TooLarge,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsaUnavailable(isa) => write!(
                f,
                "this machine does not support {isa}: choose another instruction set, or none for the fastest"
            ),
            Self::Length {
                layer,
                expected,
                found,
            } => write!(
                f,
                "{layer} should have {expected} elements, but has {found}"
            ),
            Self::Blocks { expected, found } => write!(
                f,
                "the weights should have {expected} blocks, but have {found}"
            ),
            Self::Unsupported(what) => write!(f, "unsupported shape: {what}"),
            Self::Planner { layer, problem } => write!(
                f,
                "layer {layer:?}: the planner finds {problem}, which is a bug of imageclassifier: report it together with the model"
            ),
            Self::TooLarge => {
                f.write_str("a shape is too large for memory: use smaller dimensions")
            }
        }
    }
}

impl std::error::Error for BuildError {}
