use serde::{Deserialize, Serialize};

use super::{ModelFolder, ModelFolderProblem, format::Format};
use crate::{Activation, Preprocessing, Variant};

/// `config.json`: what people read, and what the numbers mean.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Config {
    format: u32,
    pub(super) labels: Vec<String>,
    /// `softmax` or `sigmoid`.
    activation: String,
    pub(super) base: Base,
    preprocessing: PreprocessingConfig,
    #[serde(default)]
    pub(super) training: serde_json::Value,
    /// The program that wrote the file.
    #[serde(default)]
    version: String,
}

/// The frozen network.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Base {
    name: String,
    /// SHA-256 of its weights.
    pub(super) digest: String,
}

/// As the images were prepared for training. Other preprocessing gives other features.
#[derive(Debug, Deserialize, Serialize)]
struct PreprocessingConfig {
    version: String,
    input_size: u32,
}

impl Config {
    pub(super) fn of(folder: &ModelFolder) -> Self {
        let parts = folder.head.parts();
        let input_size = folder.base.input_size();
        Self {
            format: Format::Head.number(),
            labels: parts.labels.clone(),
            activation: parts.activation.name().to_owned(),
            base: Base {
                name: folder.base.name().to_owned(),
                digest: folder.base_digest.clone(),
            },
            preprocessing: PreprocessingConfig {
                version: Preprocessing::of(input_size).version,
                input_size,
            },
            training: folder.training.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self, ModelFolderProblem> {
        match Format::of(json)? {
            Format::Head => serde_json::from_slice(json)
                .map_err(|error| ModelFolderProblem::Config(error.to_string())),
            Format::Network | Format::NetworkAndHead => Err(ModelFolderProblem::NetworkMissing),
        }
    }

    pub(super) fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("plain data");
        json + "\n"
    }

    pub(super) fn activation(&self) -> Result<Activation, ModelFolderProblem> {
        super::parse_activation(&self.activation)
    }

    /// The base, if it is one of ours and its images are prepared as they were.
    pub(super) fn base_variant(&self) -> Result<Variant, ModelFolderProblem> {
        let named = |variant: &Variant| variant.name() == self.base.name;
        let variant = Variant::ALL.into_iter().find(named);
        let variant =
            variant.ok_or_else(|| ModelFolderProblem::UnknownBase(self.base.name.clone()))?;
        let input_size = variant.input_size();
        let preprocessing = Preprocessing::of(input_size).version;
        if self.preprocessing.version == preprocessing
            && self.preprocessing.input_size == input_size
        {
            Ok(variant)
        } else {
            Err(ModelFolderProblem::Preprocessing {
                found: self.preprocessing.version.clone(),
                expected: preprocessing,
            })
        }
    }
}
