//! From an encoded image to a ranking of classes: pure and synchronous, on burn. Knows no runtime, no wire
//! format and no server.
//!
//! The modules are the stages that an image passes:
//! [`EncodedImage`] -> [`DecodedImage`] -> [`Input`] -> [`Runner`] of a [`Network`] -> [`Inference`] -> [`Logits`] and
//! [`Ranking`] of a [`Classifier`], whose classes are ImageNet's or your own.
//! Each type has private fields and one way to make it, so that no stage can be skipped.

mod architecture;
mod classifier;
mod compute;
mod crop;
mod decode;
mod decoded_image;
mod dimensions;
mod efficientnet_lite;
mod embedding;
mod encoded_image;
mod error;
mod explain;
mod folder;
mod foreign;
mod format;
mod formats;
mod fused;
mod head;
mod imported;
mod input;
mod jpeg;
mod labels;
mod network;
mod preprocessing;
mod ranking;
mod truncation;
mod upright_image;
mod variant;
mod weights;

pub use classifier::Classifier;
pub use compute::{Backend, Compute};
pub use crop::{Crop, Framing, View};
pub use decoded_image::DecodedImage;
pub use embedding::Embedding;
pub use encoded_image::EncodedImage;
pub use error::InvalidImage;
pub use explain::{Explainer, FeatureMap, Heatmap};
pub use folder::{ModelFolder, ModelFolderError, ModelFolderProblem};
pub use foreign::ForeignFormat;
pub use format::MEDIA_TYPES;
pub use head::{Activation, Head, HeadError, HeadParts, Known};
pub use imageclassifier_checkpoints::Architecture;
pub use imageclassifier_crop::CropSquare;
pub use imageclassifier_kernels::{Isa, Precision, Program, StepProfile, ThreadTeam};
pub use imported::{ImportedModel, ImportedNetwork, ImportedRunner, NetworkFile};
pub use input::Input;
pub use labels::{CLASSES, labels};
pub use network::{Inference, Network, NetworkError, Runner};
pub use preprocessing::{ChannelOrder, Filter, Preprocessing};
pub use ranking::{Logits, Ranked, Ranking};
pub use upright_image::UprightImage;
pub use variant::Variant;
pub use weights::{Weights, WeightsError, WeightsFileError};
