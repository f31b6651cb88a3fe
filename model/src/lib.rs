//! From an encoded picture to a ranking of ImageNet classes: pure and synchronous, on burn. Knows no runtime, no wire
//! format and no server.
//!
//! The modules are the stages of one picture's way:
//! [`EncodedImage`] -> [`Picture`] -> [`Input`] -> [`Runner`] of a [`Network`] -> [`Logits`] -> [`Ranking`].
//! Each type has private fields and one way to make it, so that no stage can be skipped.

mod compute;
mod crop;
mod decode;
mod dimensions;
mod efficientnet_lite;
mod error;
mod explain;
mod foreign;
mod format;
mod formats;
mod fused;
mod input;
mod jpeg;
mod labels;
mod network;
mod picture;
mod ranking;
mod truncation;
mod variant;
mod weights;

pub use compute::{Backend, Compute};
pub use crop::Crop;
pub use error::PictureError;
pub use explain::{Explainer, FeatureMap, Heatmap};
pub use foreign::ForeignFormat;
pub use format::MEDIA_TYPES;
pub use imageclassifier_crop::CropSquare;
pub use imageclassifier_kernels::{Kernel, Precision, Team};
pub use input::{Input, Preprocessing};
pub use labels::{CLASSES, labels};
pub use network::{Network, NetworkError, Runner};
pub use picture::{EncodedImage, Picture};
pub use ranking::{Logits, Ranked, Ranking};
pub use variant::Variant;
pub use weights::{Weights, WeightsError, WeightsFileError};
