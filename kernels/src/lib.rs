//! Inference of image classifiers on one CPU, one image at a time: vector kernels, and two ways to a network of them.
//!
//! - [`Network`] is for EfficientNet-Lite and its kin, as an [`Architecture`] describes them: a [`Stem`], inverted-residual
//!   (MBConv) [`Block`]s, each fused into one operation, and a [`Head`]. The caller folds batch normalisation into the weights
//!   and passes them once, in PyTorch's layout. It runs in buffers that are allocated beforehand ([`Workspace`]).
//! - [`Graph`] is a network of any family, as operations with static shapes that a [`GraphBuilder`] checks. [`Graph::run`] is
//!   the reference, in plain loops. [`Program`] is the graph for one instruction set: batch normalisation, activations,
//!   residuals and whole blocks are fused, each operation has a kernel, such as Winograd's for many 3 x 3 convolutions, and
//!   buffers are planned ([`ProgramBuffers`]).
//!
//! The crate reads and writes plain slices. It knows no tensors, no files, no image formats and no network by name. A
//! [`ThreadTeam`] shares one image among threads.
//!
//! Between the layers maps are `[height, width, channels]` with the channels padded to a whole number of cache lines
//! ([`MapShape`]). What lies in the padding is never read.
//!
//! The algorithm is the same for every instruction set ([`Isa`]). Everything is computed in f32, except that
//! [`Isa::Avx512Bf16`] rounds the inputs and weights of a [`Network`]'s pointwise convolutions and of `fc` to bf16 and sums in
//! f32. Its results differ, so it is opt-in.
//!
//! `micro` holds the inner loops, generic over the vector type: matrix products, depthwise convolutions, Winograd's
//! transforms, and what goes before and after them. Only it and `team`, which lends borrowed work to threads, have `unsafe`
//! code.
#![deny(unsafe_code)]

mod activation;
mod architecture;
mod block;
mod buffer;
mod error;
mod graph;
mod head;
mod isa;
mod micro;
mod network;
mod packed;
mod padding;
mod program;
mod scratch;
mod shape;
mod stem;
mod team;
mod weights;
mod workspace;

pub use architecture::{Architecture, Stage};
pub use block::{Block, BlockConfig};
pub use error::BuildError;
pub use graph::{
    Binary, Constant, Conv, Graph, GraphBuilder, GraphError, Layer, Op, Pool, Pooling, Reduction,
    SliceAxis, Unary, ValueId, Window,
};
pub use head::{Head, HeadBuffers};
pub use isa::{Isa, Precision, UnknownIsa};
pub use network::Network;
pub use program::{Features, Program, ProgramBuffers, StepProfile};
pub use scratch::Scratch;
pub use shape::MapShape;
pub use stem::Stem;
pub use team::{THREADS_MAX, ThreadTeam};
pub use weights::{BlockWeights, FoldedConv, NetworkWeights};
pub use workspace::Workspace;
