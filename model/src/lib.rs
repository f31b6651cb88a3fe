//! From an encoded picture to a ranking of ImageNet classes: pure and synchronous, on burn. Knows no runtime, no wire
//! format and no server.
//!
//! The modules are the stages of one picture's way:
//! [`EncodedImage`] -> [`Picture`] -> [`Input`] -> [`Network`] -> [`Logits`] -> [`Ranking`].
//! Each type has private fields and one way to make it, so that no stage can be skipped.

mod backend;
mod crop;
mod efficientnet_lite;
mod input;
mod labels;
mod network;
mod picture;
mod ranking;
mod variant;
mod weights;

pub use backend::Backend;
pub use crop::CropSquare;
pub use input::{Input, Preprocessing};
pub use labels::{CLASSES, labels};
pub use network::{Network, NetworkError};
pub use picture::{EncodedImage, MEDIA_TYPES, Picture, PictureError};
pub use ranking::{Logits, Ranked, Ranking};
pub use variant::Variant;
pub use weights::Weights;
