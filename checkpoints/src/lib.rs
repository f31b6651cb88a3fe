//! From the weights of a named architecture, such as `resnet50`, to a [`Graph`](imageclassifier_kernels::Graph). Knows no
//! files, labels or images.
//!
//! [`Checkpoint::parse`] reads safetensors and what `torch.save` writes, without copying a weight and without running the
//! code in a pickle. [`Architecture`] is a table: it names the layers as timm, torchvision or Hugging Face's transformers
//! do, and says which shape each has. Files may be hostile: lengths, counts and shapes are checked, and errors name the
//! layer.
#![forbid(unsafe_code)]

mod architecture;
mod checkpoint;
mod error;
mod formats;
mod inverted_residuals;
mod layers;
mod naming;
mod resnet;
mod tensor;
mod weights;

pub use architecture::Architecture;
pub use checkpoint::Checkpoint;
pub use error::CheckpointError;
pub use imageclassifier_kernels::GraphError;
pub use naming::Naming;
pub use weights::Weights;
