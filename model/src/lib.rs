//! From an encoded picture to a ranking of ImageNet classes: pure and synchronous, on burn. Knows no runtime, no wire
//! format and no server.
//!
//! The modules are the stages of one picture's way:
//! [`EncodedImage`] -> [`Picture`] -> [`Input`] -> [`Runner`] of a [`Network`] -> [`Logits`] -> [`Ranking`].
//! Each type has private fields and one way to make it, so that no stage can be skipped.

mod compute;
mod crop;
mod efficientnet_lite;
mod explain;
mod fused;
mod input;
mod jpeg;
mod labels;
mod network;
mod picture;
mod ranking;
mod truncation;
mod variant;
mod webp;
mod weights;

pub use compute::{Backend, Compute};
pub use crop::Crop;
pub use explain::{Explainer, FeatureMap, Heatmap};
pub use imageclassifier_crop::CropSquare;
pub use imageclassifier_kernels::{Kernel, Precision, Team};
pub use input::{Input, Preprocessing};
pub use labels::{CLASSES, labels};
pub use network::{Network, NetworkError, Runner};
pub use picture::{EncodedImage, MEDIA_TYPES, Picture, PictureError};
pub use ranking::{Logits, Ranked, Ranking};
pub use variant::Variant;
pub use weights::{Weights, WeightsError, WeightsFileError};
