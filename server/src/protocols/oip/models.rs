//! The models that the Open Inference Protocol offers: each of ours with two kinds of input.

use imageclassifier_model::Classifier;
use imageclassifier_proto::inference as proto;
use proto::{
    DataType, ModelConfig, ModelInput, ModelOutput, model_input::Format,
    model_metadata_response::TensorMetadata,
};

use crate::{
    engine::{Engine, prepared::PreparedTensor},
    protocols::oip::{outputs::Output, tensor::datatype_name},
    request::error::{RequestError, excerpt},
};

/// A model with one kind of input.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) classifier: Classifier,
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
/// What the name of a model that takes preprocessed tensors ends with.
const PREPARED_SUFFIX: &str = "-preprocessed";

impl Model {
    /// # Errors
    /// [`RequestError::UnknownModel`].
    pub(crate) fn find(engine: &Engine, name: &str, version: &str) -> Result<Self, RequestError> {
        let table = engine.models().table();
        let of = |name: &str, kind| {
            let found = table.get(name).cloned();
            found.map(|classifier| Self { classifier, kind })
        };
        let prepared = || of(name.strip_suffix(PREPARED_SUFFIX)?, InputKind::Prepared);
        let found = of(name, InputKind::Encoded).or_else(prepared);
        let wanted = |model: &Self| version.is_empty() || version == model.classifier.revision();
        if let Some(model) = found.filter(wanted) {
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
        let size = i64::from(engine.input_size());
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
                let values = PreparedTensor::values_each(engine.input_size());
                let image_bytes = (values * size_of::<f32>()) as u64;
                let fit = limits.message_bytes_max / image_bytes;
                u32::try_from(fit).map_or(limits.batch_images_max, |fit| {
                    fit.clamp(1, limits.batch_images_max)
                })
            }
        }
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
            versions: vec![self.classifier.revision().to_owned()],
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
