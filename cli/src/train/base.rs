//! The frozen network that heads are trained on.

use std::{fs, path::Path};

use imageclassifier_model::{Head, ImportedModel, ModelFolder, Precision, Weights};

use crate::{
    args,
    local::network::{LocalNetwork, load_imported, load_weights},
    model_name::model_name,
};

/// A network that computes features, with what heads on it are made of.
pub(crate) struct Base {
    origin: Origin,
    channels: usize,
    network: LocalNetwork,
}

/// Where a network comes from.
#[allow(clippy::large_enum_variant, reason = "there is one of them")]
pub(crate) enum Origin {
    BuiltIn(Weights),
    Imported(ImportedModel),
}

impl Base {
    /// The `chosen` network, or without a choice that of the environment. Of a model that has a head, only the network is used.
    ///
    /// # Errors
    /// If the folder or file cannot be used, or the network has no features.
    pub(crate) fn load(chosen: Option<&args::BaseChoice>) -> Result<Self, String> {
        match chosen {
            Some(args::BaseChoice::Path(folder)) if folder.is_dir() => {
                if !ImportedModel::is_at(folder) {
                    return Err(format!(
                        "{} has neither model.onnx nor network.safetensors: give a folder that `imageclassifier import` wrote, or a file of weights",
                        folder.display()
                    ));
                }
                Self::imported(read_imported(folder)?)
            }
            other => Self::built_in(other),
        }
    }

    /// The head of the model in `folder`, and the network that it was trained on. For a built-in network, `chosen` has its
    /// weights, or without a choice the environment.
    ///
    /// # Errors
    /// If the folder or file cannot be used, or the model has no head or one for another network.
    pub(crate) fn of_trained(
        folder: &Path,
        chosen: Option<&args::BaseChoice>,
    ) -> Result<(Self, Head), String> {
        if ImportedModel::is_at(folder) {
            if chosen.is_some() {
                let folder = folder.display();
                return Err(format!("{folder} has its own network: leave out --base"));
            }
            let model = read_imported(folder)?;
            let head = model.head().cloned().ok_or_else(|| {
                format!(
                    "{0} has only the classes of its network, which nothing was trained on: train a model with `imageclassifier train --base {0}`",
                    folder.display()
                )
            })?;
            return Ok((Self::imported(model)?, head));
        }
        let model = ModelFolder::read(folder).map_err(|error| error.to_string())?;
        let base = Self::built_in(chosen)?;
        if base.digest() != model.base_digest() {
            return Err(format!(
                "{} was trained on {} with the weights {}: give their file with --base, or --base lite0 for those in this program",
                model.name(),
                model.base().name(),
                model.base_digest()
            ));
        }
        Ok((base, model.head().clone()))
    }

    fn built_in(chosen: Option<&args::BaseChoice>) -> Result<Self, String> {
        let weights = match chosen {
            Some(args::BaseChoice::Lite0) => Weights::lite0(),
            Some(args::BaseChoice::Path(file)) => load_weights(Some(file))?,
            None => load_weights(None)?,
        };
        Ok(Self {
            channels: weights.variant().channels(),
            network: LocalNetwork::built_in(&weights)?,
            origin: Origin::BuiltIn(weights),
        })
    }

    fn imported(model: ImportedModel) -> Result<Self, String> {
        let network = load_imported(&model)?;
        let channels = network.channels().ok_or_else(|| {
            format!(
                "{} has no feature vectors, because its network does not end with global average pooling and a linear layer: use another, such as a ResNet, an EfficientNet or a MobileNetV2",
                model.name()
            )
        })?;
        Ok(Self {
            channels,
            network: LocalNetwork::imported(&network),
            origin: Origin::Imported(model),
        })
    }

    /// Where the network comes from.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The network, ready to run.
    pub(crate) fn network(&self) -> &LocalNetwork {
        &self.network
    }

    /// Length of a feature vector.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Name of the network, for people.
    pub(crate) fn name(&self) -> &str {
        match &self.origin {
            Origin::BuiltIn(weights) => weights.variant().name(),
            Origin::Imported(model) => model.name(),
        }
    }

    /// SHA-256 of the file with the network, 64 lower-case hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        match &self.origin {
            Origin::BuiltIn(weights) => weights.digest(),
            Origin::Imported(model) => model.network_digest(),
        }
    }

    /// Changes whenever the same image may have other features. The name of a folder.
    pub(crate) fn features_revision(&self) -> String {
        match &self.origin {
            Origin::BuiltIn(weights) => weights.revision(Precision::F32),
            Origin::Imported(model) => model.features_digest(),
        }
    }

    /// Writes the folder of the model `name`, whose head was trained on this network.
    ///
    /// # Errors
    /// If the name is not usable, or the folder cannot be written.
    pub(crate) fn write_model(
        &self,
        folder: &Path,
        name: &str,
        head: Head,
        training: serde_json::Value,
    ) -> Result<(), String> {
        let written = match &self.origin {
            Origin::BuiltIn(weights) => ModelFolder::new(name, head, weights, training)
                .map_err(|error| error.to_string())?
                .write(folder),
            Origin::Imported(model) => (model.with_head(name, head, training))
                .map_err(|error| error.to_string())?
                .write(folder),
        };
        written.map_err(|error| error.to_string())
    }
}

fn read_imported(folder: &Path) -> Result<ImportedModel, String> {
    // A path that ends with `.` or `..` has no name.
    let absolute = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let model = ImportedModel::read_as(folder, &model_name(&absolute)?);
    model.map_err(|error| error.to_string())
}
