//! EfficientNet-Lite on one CPU, in f32: the convolutions, fused into one operation per block.
//!
//! The crate takes plain slices and gives plain slices. It knows no tensors, no files and no pictures: whoever owns
//! the weights (burn, in this product) folds batch normalisation into them and hands them over once, in PyTorch's
//! layout; [`Stem`], [`Block`] and [`Head`] keep them packed for one [`Kernel`], and [`Network`] runs them all in
//! buffers that are allocated beforehand.
//!
//! Between the layers pictures are `[height, width, channels]` with the channels padded to a whole number of cache
//! lines ([`MapShape`]). What lies in the padding is never read.
//!
//! [`Kernel::Avx512Bf16`] rounds the inputs and weights of pointwise convolutions and of `fc` to bf16 and sums in f32. Its
//! answers differ, so it is never chosen by itself.
//!
//! The algorithm is the same for every instruction set. `micro` holds the two inner loops (a matrix product and a
//! depthwise convolution), generic over the vector type. Besides it only `team`, which lends borrowed work to threads,
//! has `unsafe` code.
#![deny(unsafe_code)]

mod architecture;
mod block;
mod buffer;
mod error;
mod head;
mod kernel;
mod micro;
mod network;
mod packed;
mod shape;
mod stem;
mod team;
mod weights;
mod workspace;

pub use architecture::{Architecture, Stage};
pub use block::{Block, BlockConfig, Scratch};
pub use error::BuildError;
pub use head::{Head, HeadBuffers};
pub use kernel::{Kernel, Precision, UnknownKernel};
pub use network::Network;
pub use shape::MapShape;
pub use stem::Stem;
pub use team::{THREADS_MAX, Team};
pub use weights::{BlockWeights, FoldedConv, NetworkWeights};
pub use workspace::Workspace;
