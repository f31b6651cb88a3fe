//! Why a layer cannot be built.

use std::fmt;

use crate::Kernel;

/// A layer, or the network, cannot be built from what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// This machine, or this build, lacks the kernel's instruction set.
    KernelUnavailable(Kernel),
    /// A weight or a bias has another number of elements than its layer's shape says.
    Length {
        /// The layer, named as in the reference implementation (`conv_stem`, `depthwise_conv`, `fc`, …).
        layer: &'static str,
        /// What it should have.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// The network has another number of blocks than the architecture says.
    Blocks {
        /// What it should have.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// A shape that the kernels do not cover, in words.
    Unsupported(&'static str),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KernelUnavailable(kernel) => {
                write!(f, "this machine cannot run the {kernel} kernel")
            }
            Self::Length {
                layer,
                expected,
                found,
            } => {
                write!(
                    f,
                    "{layer} should hold {expected} numbers, but holds {found}"
                )
            }
            Self::Blocks { expected, found } => write!(
                f,
                "the network should have {expected} blocks, but has {found}"
            ),
            Self::Unsupported(what) => write!(f, "unsupported shape: {what}"),
        }
    }
}

impl std::error::Error for BuildError {}
