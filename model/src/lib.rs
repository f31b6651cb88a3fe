//! From an encoded image to a ranking of ImageNet classes: pure and synchronous, on burn. Knows no runtime, no wire
//! format and no server.
//!
//! The modules are the stages that an image passes:
//! [`EncodedImage`] -> [`DecodedImage`] -> [`Input`] -> [`Runner`] of a [`Network`] -> [`Logits`] -> [`Ranking`].
//! Each type has private fields and one way to make it, so that no stage can be skipped.

mod architecture;
mod compute;
mod crop;
mod decode;
mod decoded_image;
mod dimensions;
mod efficientnet_lite;
mod encoded_image;
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
mod ranking;
mod truncation;
mod upright_image;
mod variant;
mod weights;

pub use compute::{Backend, Compute};
pub use crop::Crop;
pub use decoded_image::DecodedImage;
pub use encoded_image::EncodedImage;
pub use error::InvalidImage;
pub use explain::{Explainer, FeatureMap, Heatmap};
pub use foreign::ForeignFormat;
pub use format::MEDIA_TYPES;
pub use imageclassifier_crop::CropSquare;
pub use imageclassifier_kernels::{Isa, Precision, ThreadTeam};
/// Old names, for callers that do not use the new ones yet.
#[doc(hidden)]
pub use imageclassifier_kernels::{Isa as Kernel, ThreadTeam as Team};
pub use input::{Input, Preprocessing};
pub use labels::{CLASSES, labels};
pub use network::{Network, NetworkError, Runner};
pub use ranking::{Logits, Ranked, Ranking};
pub use upright_image::UprightImage;
pub use variant::Variant;
pub use weights::{Weights, WeightsError, WeightsFileError};
