mod config;
mod error;
mod tensors;

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{Activation, Head, Variant, Weights};
use config::Config;
pub use error::{ModelFolderError, ModelFolderProblem};

/// A trained model as a folder whose name is the model's: `model.safetensors` with the numbers, `config.json` with the rest.
/// docs/models.md describes both. Cheap to clone.
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

const TENSORS_FILE: &str = "model.safetensors";
const CONFIG_FILE: &str = "config.json";
/// The largest head that is accepted takes 46 MB.
const TENSORS_BYTES_MAX: u64 = 64 << 20;
const CONFIG_BYTES_MAX: u64 = 4 << 20;
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
        let digest = digest(&tensors::serialize(&head, &base_digest));
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
        let file = |name, bytes_max| read_bounded(&path.join(name), name, bytes_max);
        let model = file(CONFIG_FILE, CONFIG_BYTES_MAX).and_then(|config| {
            let tensors = file(TENSORS_FILE, TENSORS_BYTES_MAX)?;
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
        let (head, base_digest) = tensors::parse(tensors, &config, base)?;
        Ok(Self {
            name: name.to_owned(),
            head,
            base,
            base_digest,
            digest: digest(tensors),
            training: config.training,
        })
    }

    /// Writes the folder at `path`, whose last component should be the model's name. The model is complete once `config.json` is
    /// there. The same model gives the same bytes.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelFolderError> {
        let config = Config::of(self).to_json();
        let tensors = tensors::serialize(&self.head, &self.base_digest);
        write_files(
            path,
            &[(TENSORS_FILE, &tensors), (CONFIG_FILE, config.as_bytes())],
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

/// Writes files into the folder at `path`, one after the other.
pub(crate) fn write_files(path: &Path, files: &[(&str, &[u8])]) -> Result<(), ModelFolderError> {
    let replace = |(name, bytes): &(&str, &[u8])| {
        // Never half a file under its name.
        let temporary = path.join(format!(".{name}.new"));
        fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path.join(name)))
    };
    fs::create_dir_all(path)
        .and_then(|()| files.iter().try_for_each(replace))
        .map_err(|error| ModelFolderError {
            path: path.to_owned(),
            source: ModelFolderProblem::Unwritable(error),
        })
}

pub(crate) fn parse_activation(name: &str) -> Result<Activation, ModelFolderProblem> {
    match name {
        "softmax" => Ok(Activation::Softmax),
        "sigmoid" => Ok(Activation::Sigmoid),
        other => Err(ModelFolderProblem::Config(format!(
            "activation is {other:?} instead of \"softmax\" or \"sigmoid\""
        ))),
    }
}

pub(crate) fn read_bounded(
    path: &Path,
    name: &'static str,
    bytes_max: u64,
) -> Result<Vec<u8>, ModelFolderProblem> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|source| ModelFolderProblem::Unreadable { file: name, source })?;
    if bytes.len() as u64 > bytes_max {
        return Err(ModelFolderProblem::TooLarge {
            file: name,
            bytes_max,
        });
    }
    Ok(bytes)
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

pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
