//! Networks of inverted-residual (MBConv) blocks on one CPU, in f32: the convolutions, fused into one operation per block.
//!
//! The crate reads and writes plain slices. It knows no tensors, no files, no image formats and no network by name. The
//! caller folds batch normalisation into the weights and passes them once, in PyTorch's layout; [`Stem`], [`Block`] and
//! [`Head`] keep them packed for one instruction set ([`Isa`]), and [`Network`] runs them all in buffers that are
//! allocated beforehand ([`Workspace`]).
//!
//! Between the layers maps are `[height, width, channels]` with the channels padded to a whole number of cache lines
//! ([`MapShape`]). What lies in the padding is never read.
//!
//! [`Isa::Avx512Bf16`] rounds the inputs and weights of pointwise convolutions and of `fc` to bf16 and sums in f32. Its
//! results differ, so it is opt-in.
//!
//! The algorithm is the same for every instruction set. `micro` holds the two inner loops (a matrix product and a
//! depthwise convolution), generic over the vector type. Only it and `team`, which lends borrowed work to threads, have
//! `unsafe` code.
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
