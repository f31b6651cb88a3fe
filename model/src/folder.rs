mod config;
mod error;
pub(crate) mod files;
pub(crate) mod format;
pub(crate) mod tensors;

use std::path::Path;

use crate::{Activation, Head, Variant, Weights};
use config::Config;
pub use error::{ModelFolderError, ModelFolderProblem};

/// A model that was trained on a built-in network, as a folder whose name is the model's: `model.safetensors` with the numbers,
/// `config.json` with the rest. docs/models.md describes both. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    name: String,
    head: Head,
    base: Variant,
    base_digest: String,
    digest: String,
    /// How the model was trained: for people, not read back.
    training: serde_json::Value,
}

/// Short enough for a table, and for every file system.
const NAME_BYTES_MAX: usize = 64;

impl ModelFolder {
    /// A model that was trained on the features of `base`.
    ///
    /// # Errors
    /// If the name is not usable.
    pub fn new(
        name: &str,
        head: Head,
        base: &Weights,
        training: serde_json::Value,
    ) -> Result<Self, ModelFolderProblem> {
        check_name(name)?;
        let base_digest = base.digest().to_owned();
        let digest = files::digest(&tensors::serialize(&head, &base_digest));
        Ok(Self {
            name: name.to_owned(),
            head,
            base: base.variant(),
            base_digest,
            digest,
            training,
        })
    }

    /// Reads the folder at `path`. Its last component is the name.
    ///
    /// # Errors
    /// If a file is missing, too large or malformed, or the files contradict each other.
    pub fn read(path: &Path) -> Result<Self, ModelFolderError> {
        let name = path.file_name().and_then(|name| name.to_str());
        Self::read_as(path, name.unwrap_or_default())
    }

    /// As [`read`](Self::read), with another name than that of the folder.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_as(path: &Path, name: &str) -> Result<Self, ModelFolderError> {
        let config = files::read(path, files::CONFIG, files::CONFIG_BYTES_MAX);
        let model = config.and_then(|config| {
            let tensors = files::read(path, files::HEAD, files::HEAD_BYTES_MAX)?;
            Self::from_files(name, &config, &tensors)
        });
        model.map_err(|source| ModelFolderError {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads the contents of `config.json` and `model.safetensors`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_files(
        name: &str,
        config: &[u8],
        tensors: &[u8],
    ) -> Result<Self, ModelFolderProblem> {
        check_name(name)?;
        let config = Config::parse(config)?;
        let base = config.base_variant()?;
        let activation = config.activation()?;
        let head = tensors::parse(tensors, config.labels, activation, &config.base.digest)?;
        check_channels(&head, base.channels())?;
        Ok(Self {
            name: name.to_owned(),
            head,
            base,
            base_digest: config.base.digest,
            digest: files::digest(tensors),
            training: config.training,
        })
    }

    /// Writes the folder at `path`, whose last component should be the model's name. Files of a model that it replaces are removed,
    /// and `config.json` is written last. The same model gives the same bytes.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelFolderError> {
        let config = Config::of(self).to_json();
        let tensors = tensors::serialize(&self.head, &self.base_digest);
        files::write(
            path,
            &[(files::HEAD, &tensors), (files::CONFIG, config.as_bytes())],
        )
    }

    /// Name of the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The trained last layer.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The network on whose features the head was trained.
    #[must_use]
    pub fn base(&self) -> Variant {
        self.base
    }

    /// SHA-256 of that network's weights, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn base_digest(&self) -> &str {
        &self.base_digest
    }

    /// How the model was trained, for people.
    #[must_use]
    pub fn training(&self) -> &serde_json::Value {
        &self.training
    }

    /// SHA-256 of `model.safetensors`, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

pub(crate) fn parse_activation(name: &str) -> Result<Activation, ModelFolderProblem> {
    let mut all = [Activation::Softmax, Activation::Sigmoid].into_iter();
    all.find(|it| it.name() == name).ok_or_else(|| {
        ModelFolderProblem::Config(format!(
            "activation is {name:?} instead of \"softmax\" or \"sigmoid\""
        ))
    })
}

/// A head is only for the features that it was trained on.
pub(crate) fn check_channels(
    head: &Head,
    network_channels: usize,
) -> Result<(), ModelFolderProblem> {
    let head_channels = head.channels();
    if head_channels == network_channels {
        return Ok(());
    }
    Err(ModelFolderProblem::Channels {
        head_channels,
        network_channels,
    })
}

/// Names appear in paths, URLs, metrics and messages.
pub(crate) fn check_name(name: &str) -> Result<(), ModelFolderProblem> {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let starts_well = name
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    if starts_well && name.len() <= NAME_BYTES_MAX && name.bytes().all(usable) {
        return Ok(());
    }
    Err(ModelFolderProblem::Name(
        name.chars().take(NAME_BYTES_MAX).collect(),
    ))
}
