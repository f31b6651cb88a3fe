//! Classifiers that were trained elsewhere: a network, its labels, and how its images are prepared.

mod config;
mod network;
mod network_file;

use std::{fs, path::Path};

use imageclassifier_kernels::Graph;

use crate::{Activation, ModelFolderError, ModelFolderProblem, Preprocessing, folder};
use config::Config;
pub use network::{ImportedNetwork, ImportedRunner};
pub use network_file::NetworkFile;

/// A model folder with a network of its own: `model.onnx` or `network.safetensors`, and `config.json` with the rest.
/// docs/models.md describes them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ImportedModel {
    name: String,
    labels: Vec<String>,
    activation: Activation,
    preprocessing: Preprocessing,
    file: NetworkFile,
    digest: String,
    /// Where it comes from: for people, not read back.
    source: serde_json::Value,
}

const CONFIG_FILE: &str = "config.json";
const CONFIG_BYTES_MAX: u64 = 4 << 20;
/// ImageNet-21k has 21,843.
const CLASSES_MAX: usize = 32_768;

impl ImportedModel {
    /// A model with this network.
    ///
    /// # Errors
    /// If the name, a label or a number of the preprocessing is not usable.
    pub fn new(
        name: &str,
        file: NetworkFile,
        labels: Vec<String>,
        activation: Activation,
        preprocessing: Preprocessing,
        source: serde_json::Value,
    ) -> Result<Self, ModelFolderProblem> {
        folder::check_name(name)?;
        check_labels(&labels)?;
        let mut model = Self {
            name: name.to_owned(),
            labels,
            activation,
            digest: folder::digest(file.bytes()),
            file,
            preprocessing,
            source,
        };
        // One way to say how images are prepared, and what version that is.
        model.preprocessing = Config::of(&model).preprocessing()?;
        Ok(model)
    }

    /// Whether the folder at `path` holds such a model.
    #[must_use]
    pub fn is_at(path: &Path) -> bool {
        let mut names = NetworkFile::NAMES.into_iter();
        names.any(|name| path.join(name).is_file())
    }

    /// Reads the folder at `path`. Its last component is the name.
    ///
    /// # Errors
    /// If a file is missing, too large or malformed.
    pub fn read(path: &Path) -> Result<Self, ModelFolderError> {
        let name = path.file_name().and_then(|name| name.to_str());
        Self::read_as(path, name.unwrap_or_default())
    }

    /// As [`read`](Self::read), with another name than that of the folder.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_as(path: &Path, name: &str) -> Result<Self, ModelFolderError> {
        let file = |name, bytes_max| folder::read_bounded(&path.join(name), name, bytes_max);
        let model = file(CONFIG_FILE, CONFIG_BYTES_MAX).and_then(|config| {
            let config = Config::parse(&config)?;
            let architecture = config.architecture()?;
            let network = file(NetworkFile::name_for(architecture), NetworkFile::BYTES_MAX)?;
            let (activation, preprocessing) = (config.activation()?, config.preprocessing()?);
            Self::new(
                name,
                NetworkFile::new(architecture, network.into()),
                config.labels,
                activation,
                preprocessing,
                config.source,
            )
        });
        model.map_err(|source| ModelFolderError {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes the folder at `path`, whose last component should be the model's name. The model is complete once `config.json`
    /// is there.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelFolderError> {
        let config = Config::of(self).to_json();
        let name = self.file.name();
        folder::write_files(
            path,
            &[(name, self.file.bytes()), (CONFIG_FILE, config.as_bytes())],
        )?;
        // What an earlier model left is not read any more.
        for other in NetworkFile::NAMES
            .into_iter()
            .filter(|other| *other != name)
        {
            let _ = fs::remove_file(path.join(other));
        }
        Ok(())
    }

    /// Reads the network.
    ///
    /// # Errors
    /// If the file is malformed or not supported, or does not fit the labels and the input size.
    pub fn network(&self) -> Result<Graph, ModelFolderProblem> {
        let size = self.preprocessing.input_size as usize;
        let graph = self.file.graph(size)?;
        if graph.input_shape() != [1, 3, size, size] {
            return Err(ModelFolderProblem::Config(format!(
                "input_size is {size}, but the network reads {:?}",
                graph.input_shape()
            )));
        }
        let classes = graph.output_shape()[1];
        if classes != self.labels.len() {
            return Err(ModelFolderProblem::Config(format!(
                "there are {} labels, but the network has {classes} classes",
                self.labels.len()
            )));
        }
        Ok(graph)
    }

    /// The file with the network.
    #[must_use]
    pub fn file(&self) -> &NetworkFile {
        &self.file
    }

    /// Name of the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the classes, by class index. Two can be the same, as in ImageNet's short names.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How logits become probabilities.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// How images become the network's input.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// SHA-256 of the file with the network, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where it comes from, for people.
    #[must_use]
    pub fn source(&self) -> &serde_json::Value {
        &self.source
    }

    /// SHA-256 of all that answers depend on.
    pub(crate) fn answers_digest(&self) -> String {
        let mut everything = self.digest.clone();
        everything += &Config::of(self).answers();
        folder::digest(everything.as_bytes())
    }
}

fn check_labels(labels: &[String]) -> Result<(), ModelFolderProblem> {
    let problem = |problem: String| Err(ModelFolderProblem::Config(problem));
    if !(2..=CLASSES_MAX).contains(&labels.len()) {
        return problem(format!(
            "there are {} labels: a model has 2 to {CLASSES_MAX}",
            labels.len()
        ));
    }
    match labels
        .iter()
        .position(|label| !crate::head::is_usable(label))
    {
        Some(index) => problem(format!(
            "label {index} is empty, too long, or has control characters"
        )),
        None => Ok(()),
    }
}
