use crate::{Precision, Preprocessing, Variant};

/// The weights of a network: safetensors in PyTorch's layout with BatchNorm folded, as `model/convert/weights.py` writes
/// them.
#[derive(Clone, Debug)]
pub struct Weights {
    pub(crate) variant: Variant,
    pub(crate) safetensors: &'static [u8],
    digest: &'static str,
}

const LITE0: &[u8] = include_bytes!("../weights/efficientnet_lite0.safetensors");
const LITE0_DIGEST: &str = include_str!("../weights/efficientnet_lite0.safetensors.sha256");

impl Weights {
    /// EfficientNet-Lite0, trained on ImageNet-1k; part of the program.
    #[must_use]
    pub fn lite0() -> Self {
        Self {
            variant: Variant::Lite0,
            safetensors: LITE0,
            digest: &LITE0_DIGEST[..64],
        }
    }

    /// The network that these are the weights of.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.digest
    }

    /// Identifies the answers of these weights in `precision`, with pictures prepared as they are now.
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

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn digest_is_that_of_the_embedded_file() {
        let weights = Weights::lite0();
        let digest: String = Sha256::digest(weights.safetensors)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(weights.digest(), digest);
    }
}
