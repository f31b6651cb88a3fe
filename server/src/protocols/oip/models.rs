//! The models that the Open Inference Protocol offers: one network with two kinds of input.

use imageclassifier_model::Weights;
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

/// The kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// With encoded images.
    Encoded,
    /// With what the caller has decoded, cropped, resized and normalised.
    Prepared,
}

const ALL: [Model; 2] = [Model::Encoded, Model::Prepared];
const PLATFORM: &str = "burn";

impl Model {
    /// # Errors
    /// [`RequestError::UnknownModel`].
    pub(crate) fn find(engine: &Engine, name: &str, version: &str) -> Result<Self, RequestError> {
        let mut all = ALL.into_iter();
        let found = all.find(|model| model.name(engine.weights()) == name);
        if let Some(model) = found
            && (version.is_empty() || version == engine.revision())
        {
            return Ok(model);
        }
        let version_of = |name: &str| match version {
            "" => name.to_owned(),
            version => format!("{} of version {}", excerpt(name), excerpt(version)),
        };
        Err(RequestError::UnknownModel {
            model: version_of(name),
            available: ALL.map(|model| model.name(engine.weights())).join(" "),
        })
    }

    pub(crate) fn name(self, weights: &Weights) -> String {
        let name = weights.variant().name();
        match self {
            Self::Encoded => name.to_owned(),
            Self::Prepared => format!("{name}-preprocessed"),
        }
    }

    /// Name of the input.
    pub(crate) fn input(self) -> &'static str {
        match self {
            Self::Encoded => "image",
            Self::Prepared => "input",
        }
    }

    pub(crate) fn datatype(self) -> DataType {
        match self {
            Self::Encoded => DataType::TypeString,
            Self::Prepared => DataType::TypeFp32,
        }
    }

    /// Axes of the input after the first.
    pub(crate) fn dims(self, weights: &Weights) -> Vec<i64> {
        let size = i64::from(weights.variant().input_size());
        match self {
            Self::Encoded => vec![],
            Self::Prepared => vec![3, size, size],
        }
    }

    /// The outputs for clients that name none.
    pub(crate) fn outputs(self) -> &'static [Output] {
        match self {
            Self::Encoded => &[Output::Label, Output::Probabilities, Output::Logits],
            // Clients that prepare images are for models with one output.
            Self::Prepared => &[Output::Probabilities],
        }
    }

    /// Most images in one request: as many as configured, and as fit into one message.
    pub(crate) fn images_max(self, engine: &Engine) -> u32 {
        let limits = engine.limits();
        match self {
            Self::Encoded => limits.batch_images_max,
            Self::Prepared => {
                let values = PreparedTensor::values_each(engine.weights().variant().input_size());
                let image_bytes = (values * size_of::<f32>()) as u64;
                let fit = limits.message_bytes_max / image_bytes;
                u32::try_from(fit).map_or(limits.batch_images_max, |fit| {
                    fit.clamp(1, limits.batch_images_max)
                })
            }
        }
    }

    pub(crate) fn metadata(self, engine: &Engine) -> proto::ModelMetadataResponse {
        let weights = engine.weights();
        let tensor = |name: &str, datatype, dims: Vec<i64>| TensorMetadata {
            name: name.to_owned(),
            datatype: datatype_name(datatype).to_owned(),
            shape: [&[-1], &*dims].concat(),
        };
        let outputs = self.outputs().iter();
        proto::ModelMetadataResponse {
            name: self.name(weights),
            versions: vec![engine.revision().to_owned()],
            platform: PLATFORM.to_owned(),
            inputs: vec![tensor(self.input(), self.datatype(), self.dims(weights))],
            outputs: outputs
                .map(|output| tensor(output.name(), output.datatype(), output.dims()))
                .collect(),
        }
    }

    pub(crate) fn config(self, engine: &Engine) -> ModelConfig {
        let weights = engine.weights();
        let format = match self {
            Self::Encoded => Format::None,
            Self::Prepared => Format::Nchw,
        };
        let outputs = self.outputs().iter();
        ModelConfig {
            name: self.name(weights),
            platform: PLATFORM.to_owned(),
            max_batch_size: i32::try_from(self.images_max(engine)).unwrap_or(i32::MAX),
            input: vec![ModelInput {
                name: self.input().to_owned(),
                data_type: self.datatype().into(),
                format: format.into(),
                dims: self.dims(weights),
            }],
            output: outputs
                .map(|output| ModelOutput {
                    name: output.name().to_owned(),
                    data_type: output.datatype().into(),
                    dims: output.dims(),
                })
                .collect(),
        }
    }
}
