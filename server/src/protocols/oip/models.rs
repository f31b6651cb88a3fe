//! The models that the Open Inference Protocol offers: each of ours with two kinds of input.

use imageclassifier_model::Classifier;
use imageclassifier_proto::inference as proto;
use proto::{
    DataType, ModelConfig, ModelInput, ModelOutput, model_input::Format,
    model_metadata_response::TensorMetadata,
};

use crate::{
    engine::{
        Engine,
        models::{PREPARED_SUFFIX, Table, Version},
        prepared::PreparedTensor,
    },
    protocols::oip::{outputs::Output, tensor::datatype_name},
    request::error::{RequestError, excerpt},
};

/// A model with one kind of input.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) classifier: Classifier,
    /// The number of a model folder's version; the revision of the network's own classes.
    pub(crate) version: String,
    pub(crate) kind: InputKind,
}

/// The kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputKind {
    /// With encoded images.
    Encoded,
    /// With what the caller has decoded, cropped, resized and normalised.
    Prepared,
}

const PLATFORM: &str = "burn";

/// The version called `wanted`, by its number or its revision; the highest that works if that is empty.
fn find_version<'a>(table: &'a Table, name: &str, wanted: &str) -> Option<&'a Version> {
    if wanted.is_empty() {
        return table.current(name);
    }
    let mut all = table.all().filter(|(found, _)| *found == name);
    all.find_map(|(_, version)| {
        let revision = version.classifier()?.revision();
        (wanted == revision || wanted == version.number.to_string()).then_some(version)
    })
}

/// What clients call the version; `None` if it cannot be used.
pub(super) fn version_name(version: &Version, is_network: bool) -> Option<String> {
    let classifier = version.classifier()?;
    Some(if is_network {
        classifier.revision().to_owned()
    } else {
        version.number.to_string()
    })
}

impl Model {
    /// # Errors
    /// [`RequestError::UnknownModel`].
    pub(crate) fn find(engine: &Engine, name: &str, version: &str) -> Result<Self, RequestError> {
        let table = engine.models().table();
        let network = engine.built_in().name();
        let of = |name: &str, kind| {
            let found = find_version(&table, name, version)?;
            let classifier = found.classifier()?.clone();
            let version = version_name(found, name == network)?;
            Some(Self {
                classifier,
                version,
                kind,
            })
        };
        let prepared = || of(name.strip_suffix(PREPARED_SUFFIX)?, InputKind::Prepared);
        if let Some(model) = of(name, InputKind::Encoded).or_else(prepared) {
            return Ok(model);
        }
        let version_of = |name: &str| match version {
            "" => name.to_owned(),
            version => format!("{} of version {}", excerpt(name), excerpt(version)),
        };
        let names = table.names();
        let available =
            names.flat_map(|name| [name.to_owned(), format!("{name}{PREPARED_SUFFIX}")]);
        Err(RequestError::UnknownModel {
            model: version_of(name),
            available: available.collect::<Vec<_>>().join(" "),
        })
    }

    pub(crate) fn name(&self) -> String {
        let name = self.classifier.name();
        match self.kind {
            InputKind::Encoded => name.to_owned(),
            InputKind::Prepared => format!("{name}{PREPARED_SUFFIX}"),
        }
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.classifier.labels().len()
    }

    /// Name of the input.
    pub(crate) fn input(&self) -> &'static str {
        match self.kind {
            InputKind::Encoded => "image",
            InputKind::Prepared => "input",
        }
    }

    pub(crate) fn datatype(&self) -> DataType {
        match self.kind {
            InputKind::Encoded => DataType::TypeString,
            InputKind::Prepared => DataType::TypeFp32,
        }
    }

    /// Axes of the input after the first.
    pub(crate) fn dims(&self, engine: &Engine) -> Vec<i64> {
        let size = i64::from(engine.input_size(&self.classifier));
        match self.kind {
            InputKind::Encoded => vec![],
            InputKind::Prepared => vec![3, size, size],
        }
    }

    /// The outputs for clients that name none.
    pub(crate) fn outputs(&self) -> &'static [Output] {
        match self.kind {
            InputKind::Encoded => &[Output::Label, Output::Probabilities, Output::Logits],
            // Clients that prepare images are for models with one output.
            InputKind::Prepared => &[Output::Probabilities],
        }
    }

    /// Most images in one request: as many as configured, and as fit into one message.
    pub(crate) fn images_max(&self, engine: &Engine) -> u32 {
        let limits = engine.limits();
        match self.kind {
            InputKind::Encoded => limits.batch_images_max,
            InputKind::Prepared => {
                let values = PreparedTensor::values_each(engine.input_size(&self.classifier));
                let image_bytes = (values * size_of::<f32>()) as u64;
                let fit = limits.message_bytes_max / image_bytes;
                u32::try_from(fit).map_or(limits.batch_images_max, |fit| {
                    fit.clamp(1, limits.batch_images_max)
                })
            }
        }
    }

    /// What clients can call the model's versions, highest first.
    fn versions(&self, engine: &Engine) -> Vec<String> {
        let name = self.classifier.name();
        let is_network = name == engine.built_in().name();
        let table = engine.models().table();
        let versions = table.all().filter(|(found, _)| *found == name);
        versions
            .filter_map(|(_, version)| version_name(version, is_network))
            .collect()
    }

    pub(crate) fn metadata(&self, engine: &Engine) -> proto::ModelMetadataResponse {
        let tensor = |name: &str, datatype, dims: Vec<i64>| TensorMetadata {
            name: name.to_owned(),
            datatype: datatype_name(datatype).to_owned(),
            shape: [&[-1], &*dims].concat(),
        };
        let outputs = self.outputs().iter();
        proto::ModelMetadataResponse {
            name: self.name(),
            versions: self.versions(engine),
            platform: PLATFORM.to_owned(),
            inputs: vec![tensor(self.input(), self.datatype(), self.dims(engine))],
            outputs: outputs
                .map(|output| {
                    tensor(
                        output.name(),
                        output.datatype(),
                        output.dims(self.classes()),
                    )
                })
                .collect(),
        }
    }

    pub(crate) fn config(&self, engine: &Engine) -> ModelConfig {
        let format = match self.kind {
            InputKind::Encoded => Format::None,
            InputKind::Prepared => Format::Nchw,
        };
        let outputs = self.outputs().iter();
        ModelConfig {
            name: self.name(),
            platform: PLATFORM.to_owned(),
            max_batch_size: i32::try_from(self.images_max(engine)).unwrap_or(i32::MAX),
            input: vec![ModelInput {
                name: self.input().to_owned(),
                data_type: self.datatype().into(),
                format: format.into(),
                dims: self.dims(engine),
            }],
            output: outputs
                .map(|output| ModelOutput {
                    name: output.name().to_owned(),
                    data_type: output.datatype().into(),
                    dims: output.dims(self.classes()),
                })
                .collect(),
        }
    }
}
