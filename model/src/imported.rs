//! Classifiers that were trained elsewhere: a network, its labels, and how its images are prepared.

mod classes;
mod config;
mod network;
mod network_file;

use std::path::Path;

use imageclassifier_kernels::Graph;

use crate::{
    Activation, Head, ModelFolderError, ModelFolderProblem, Preprocessing,
    folder::{self, files, format::Format, tensors},
};
use classes::{Classes, TrainedHead};
use config::Config;
pub use network::{ImportedNetwork, ImportedRunner};
pub use network_file::NetworkFile;

/// A model folder with a network of its own: `model.onnx` or `network.safetensors`, `model.safetensors` if a head was trained on
/// the network's features, and `config.json` with the rest. docs/models.md describes them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ImportedModel {
    name: String,
    classes: Classes,
    preprocessing: Preprocessing,
    file: NetworkFile,
    /// SHA-256 of the file with the network.
    network_digest: String,
    /// Where the network comes from: for people, not read back.
    source: serde_json::Value,
}

/// ImageNet-21k has 21,843.
const CLASSES_MAX: usize = 32_768;

impl ImportedModel {
    /// A model with this network and its classes.
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
            classes: Classes::Own { labels, activation },
            network_digest: files::digest(file.bytes()),
            file,
            preprocessing,
            source,
        };
        // One way to say how images are prepared, and what version that is.
        model.preprocessing = Config::of(&model).preprocessing()?;
        Ok(model)
    }

    /// A model with the same network, and with `head`, which was trained on the network's features. Another head, or the network's
    /// own classes, are left out.
    ///
    /// # Errors
    /// If the name is not usable.
    pub fn with_head(
        &self,
        name: &str,
        head: Head,
        training: serde_json::Value,
    ) -> Result<Self, ModelFolderProblem> {
        folder::check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            classes: Classes::Trained(TrainedHead::new(head, &self.features_digest(), training)),
            ..self.clone()
        })
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
        let model = Self::read_files(path, name);
        model.map_err(|source| ModelFolderError {
            path: path.to_owned(),
            source,
        })
    }

    fn read_files(path: &Path, name: &str) -> Result<Self, ModelFolderProblem> {
        let config = files::read(path, files::CONFIG, files::CONFIG_BYTES_MAX)?;
        let (format, config) = Config::parse(&config)?;
        let architecture = config.architecture()?;
        let file_name = NetworkFile::name_for(architecture);
        let network = files::read(path, file_name, NetworkFile::BYTES_MAX)?;
        let (activation, preprocessing) = (config.activation()?, config.preprocessing()?);
        let model = Self::new(
            name,
            NetworkFile::new(architecture, network.into()),
            config.labels,
            activation,
            preprocessing,
            config.source,
        )?;
        match format {
            Format::Head | Format::Network => Ok(model),
            Format::NetworkAndHead => model.read_head(path, config.training),
        }
    }

    /// The model with the head in `path`, which has the model's labels.
    fn read_head(
        self,
        path: &Path,
        training: serde_json::Value,
    ) -> Result<Self, ModelFolderProblem> {
        let bytes = files::read(path, files::HEAD, files::HEAD_BYTES_MAX)?;
        let (labels, activation) = (self.labels().to_vec(), self.activation());
        let head = tensors::parse(&bytes, labels, activation, &self.features_digest())?;
        let trained = TrainedHead {
            head,
            digest: files::digest(&bytes),
            training,
        };
        Ok(Self {
            classes: Classes::Trained(trained),
            ..self
        })
    }

    /// Writes the folder at `path`, whose last component should be the model's name. Files of a model that it replaces are removed,
    /// and `config.json` is written last.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelFolderError> {
        let config = Config::of(self).to_json();
        let head = (self.head()).map(|head| tensors::serialize(head, &self.features_digest()));
        let mut written = vec![(self.file.name(), self.file.bytes())];
        written.extend(head.as_deref().map(|head| (files::HEAD, head)));
        written.push((files::CONFIG, config.as_bytes()));
        files::write(path, &written)
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
        match &self.classes {
            Classes::Own { labels, .. } if labels.len() != classes => {
                Err(ModelFolderProblem::Config(format!(
                    "there are {} labels, but the network has {classes} classes",
                    labels.len()
                )))
            }
            Classes::Own { .. } | Classes::Trained(_) => Ok(graph),
        }
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
        self.classes.labels()
    }

    /// How logits become probabilities.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.classes.activation()
    }

    /// How images become the network's input.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The head, if the classes are not the network's own.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.classes.trained().map(|trained| &trained.head)
    }

    /// SHA-256 of `model.safetensors`, or without a head of the file with the network: 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        let trained = self.classes.trained();
        trained.map_or(&self.network_digest, |trained| &trained.digest)
    }

    /// SHA-256 of the file with the network, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn network_digest(&self) -> &str {
        &self.network_digest
    }

    /// SHA-256 of all that the network's features depend on: its file, its architecture and the preprocessing.
    #[must_use]
    pub fn features_digest(&self) -> String {
        let architecture = self.file.architecture().map_or("", |it| it.name());
        let (network, preprocessing) = (&self.network_digest, &self.preprocessing.version);
        files::digest(format!("{network} {preprocessing} {architecture}").as_bytes())
    }

    /// How the head was trained, or without a head where the network comes from; for people.
    #[must_use]
    pub fn origin(&self) -> &serde_json::Value {
        let trained = self.classes.trained();
        trained.map_or(&self.source, |trained| &trained.training)
    }

    /// SHA-256 of all that answers depend on.
    pub(crate) fn answers_digest(&self) -> String {
        let head = self.classes.trained();
        let head = head.map_or("", |trained| &trained.digest);
        let everything = self.network_digest.clone() + &Config::of(self).answers() + head;
        files::digest(everything.as_bytes())
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
