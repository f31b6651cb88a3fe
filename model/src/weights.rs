//! The weights of a network: those in the program, or from a file.

mod error;
mod identify;
#[cfg(test)]
mod tests;

use std::{fs::File, io::Read, path::Path};

use bytes::Bytes;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use crate::{Precision, Preprocessing, Variant};
pub use error::{WeightsError, WeightsFileError};

/// The weights of a network: safetensors in PyTorch's layout with BatchNorm folded, as `model/convert/weights.py` writes
/// them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Weights {
    pub(crate) variant: Variant,
    pub(crate) safetensors: Bytes,
    digest: String,
}

const LITE0: &[u8] = include_bytes!("../weights/efficientnet_lite0.safetensors");
const LITE0_DIGEST: &str = include_str!("../weights/efficientnet_lite0.safetensors.sha256");

/// Over twice the size of the family's largest usable weights, 24 MB, so that other files are not read to their end.
const FILE_BYTES_MAX: u64 = 64 << 20;

impl Weights {
    /// EfficientNet-Lite0, trained on ImageNet-1k. Included in the program.
    #[must_use]
    pub fn lite0() -> Self {
        Self {
            variant: Variant::Lite0,
            safetensors: Bytes::from_static(LITE0),
            digest: LITE0_DIGEST[..64].to_owned(),
        }
    }

    /// Reads the weights in the file at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`Self::from_bytes`].
    pub fn read(path: &Path) -> Result<Self, WeightsFileError> {
        let weights = read_bounded(path).and_then(Self::from_bytes);
        weights.map_err(|source| WeightsFileError {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads the weights in a safetensors file. The shapes of its tensors tell which network they belong to.
    ///
    /// # Errors
    /// If the tensors are not exactly the layers of a [`Variant`] for our classes, finite and in f32.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, WeightsError> {
        let safetensors = bytes.into();
        let tensors = SafeTensors::deserialize(&safetensors)
            .map_err(|error| WeightsError::NotSafetensors(error.to_string()))?;
        let variant = identify::variant(&tensors)?;
        let digest = Sha256::digest(&safetensors);
        Ok(Self {
            variant,
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            safetensors,
        })
    }

    /// The network that the weights belong to.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Identifies the answers of these weights in `precision`, with images prepared as they are now.
    #[must_use]
    pub fn revision(&self, precision: Precision) -> String {
        let preprocessing = Preprocessing::of(self.variant.input_size());
        let revision = format!("{}-{}", preprocessing.version, &self.digest[..12]);
        match precision {
            Precision::F32 => revision,
            Precision::Bf16 => format!("{revision}-{precision}"),
        }
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(WeightsError::Unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(WeightsError::TooLarge {
            bytes_max: FILE_BYTES_MAX,
        });
    }
    Ok(bytes)
}
