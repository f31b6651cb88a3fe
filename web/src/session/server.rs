//! What the server says of itself.

use std::sync::Arc;

/// Those of EfficientNet-Lite0, until the server has named its own.
const INPUT_SIZE: u32 = 224;
pub(crate) const CROP_FRACTION: f64 = 0.875;
/// The contract's own, until the server has named its own.
const IMAGE_BYTES_MAX: u64 = 10 << 20;

/// A model of the server, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) revision: String,
    pub(crate) weights_digest: String,
    /// Version of the preprocessing.
    pub(crate) preprocessing: String,
    pub(crate) input_size: u32,
    /// Side of the square that the network sees, as a fraction of the image's shorter side.
    pub(crate) crop_fraction: f64,
    /// Whether it sees the whole image instead, resized to a square.
    pub(crate) squash: bool,
    /// Its classes, in order of their indices.
    pub(crate) labels: Arc<[String]>,
}

/// What the server accepts.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) image_bytes_max: u64,
    /// Images in one request.
    pub(crate) batch_images_max: usize,
    /// Of the formats that it decodes.
    pub(crate) media_types: Arc<[String]>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            revision: String::new(),
            weights_digest: String::new(),
            preprocessing: String::new(),
            input_size: INPUT_SIZE,
            crop_fraction: CROP_FRACTION,
            squash: false,
            labels: Arc::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes_max: IMAGE_BYTES_MAX,
            batch_images_max: 1,
            media_types: Arc::default(),
        }
    }
}
