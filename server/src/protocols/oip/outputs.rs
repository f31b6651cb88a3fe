//! The outputs of a request: which ones are requested, and how they are written.

use std::iter;

use bytes::Bytes;
use imageclassifier_model::Ranked;
use imageclassifier_proto::inference as proto;
use proto::{
    DataType, InferTensorContents, ModelInferResponse,
    model_infer_request::InferRequestedOutputTensor, model_infer_response::InferOutputTensor,
};
use serde::Serialize;

use crate::{
    engine::job::Classification,
    protocols::oip::tensor::{Form, datatype_name, no_shared_memory, whole_number},
    request::error::{RequestError, excerpt},
};

/// An output of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// The label of the most probable class.
    Label,
    /// One for each class.
    Probabilities,
    /// One for each class.
    Logits,
}

/// A requested output, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestedOutput {
    output: Output,
    /// If set, only this many of the highest values, as text with index and label.
    top_k: Option<usize>,
}

/// The elements of one tensor.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Elements {
    Fp32(Vec<f32>),
    Strings(Vec<String>),
}

const ALL: [Output; 3] = [Output::Label, Output::Probabilities, Output::Logits];
/// The parameter with which Triton's clients request the highest values.
const CLASSIFICATION: &str = "classification";

impl Output {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Probabilities => "probabilities",
            Self::Logits => "logits",
        }
    }

    pub(crate) fn datatype(self) -> DataType {
        match self {
            Self::Label => DataType::TypeString,
            Self::Probabilities | Self::Logits => DataType::TypeFp32,
        }
    }

    /// Axes after the first.
    pub(crate) fn dims(self, classes: usize) -> Vec<i64> {
        match self {
            Self::Label => vec![],
            Self::Probabilities | Self::Logits => {
                vec![i64::try_from(classes).expect("there are few classes")]
            }
        }
    }
}

/// The requested outputs of a model with `classes` classes; `default` if the request names none. Each is allowed only once, so that a short request cannot
/// have a huge response.
///
/// # Errors
/// [`RequestError::TensorMalformed`], [`RequestError::TopK`].
pub(crate) fn parse_requested(
    requested: &[InferRequestedOutputTensor],
    default: &[Output],
    classes: usize,
) -> Result<Vec<RequestedOutput>, RequestError> {
    if requested.is_empty() {
        let whole = |&output| RequestedOutput {
            output,
            top_k: None,
        };
        return Ok(default.iter().map(whole).collect());
    }
    let mut all: Vec<RequestedOutput> = Vec::new();
    for tensor in requested {
        let parsed = parse_one(tensor, classes)?;
        if all.iter().any(|earlier| earlier.output == parsed.output) {
            let name = parsed.output.name();
            let problem = format!("{name:?} is requested twice: request each output once");
            return Err(RequestError::tensor("outputs", problem));
        }
        all.push(parsed);
    }
    Ok(all)
}

fn parse_one(
    tensor: &InferRequestedOutputTensor,
    classes: usize,
) -> Result<RequestedOutput, RequestError> {
    let found = ALL.into_iter().find(|output| output.name() == tensor.name);
    let output = found.ok_or_else(|| {
        let (sent, known) = (excerpt(&tensor.name), ALL.map(Output::name));
        RequestError::tensor(
            "outputs",
            format!("there is no output {sent:?}: request some of {known:?}"),
        )
    })?;
    no_shared_memory("outputs", tensor.parameters.keys())?;
    let Some(parameter) = tensor.parameters.get(CLASSIFICATION) else {
        return Ok(RequestedOutput {
            output,
            top_k: None,
        });
    };
    match (output, whole_number(parameter)) {
        (Output::Probabilities | Output::Logits, Some(top_k @ 1..)) => Ok(RequestedOutput {
            output,
            top_k: Some(highest(top_k, classes)?),
        }),
        _ => Err(RequestError::tensor(
            "outputs",
            "classification needs a whole number over 0, on \"probabilities\" or \"logits\": change it or leave it out"
                .to_owned(),
        )),
    }
}

fn highest(top_k: i64, classes: usize) -> Result<usize, RequestError> {
    let values = usize::try_from(top_k).ok();
    values
        .filter(|&values| values <= classes)
        .ok_or(RequestError::TopK {
            top_k: u32::try_from(top_k).unwrap_or(u32::MAX),
            top_k_max: classes,
        })
}

/// An output with its elements.
pub(crate) struct OutputTensor {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<i64>,
    pub(crate) elements: Elements,
}

impl OutputTensor {
    pub(crate) fn datatype(&self) -> &'static str {
        datatype_name(match self.elements {
            Elements::Fp32(_) => DataType::TypeFp32,
            Elements::Strings(_) => DataType::TypeString,
        })
    }

    /// Adds the tensor to `response`.
    pub(crate) fn write(self, response: &mut ModelInferResponse, form: Form) {
        let mut tensor = InferOutputTensor {
            name: self.name.to_owned(),
            datatype: self.datatype().to_owned(),
            shape: self.shape,
            ..Default::default()
        };
        match form {
            Form::Raw => response.raw_output_contents.push(self.elements.raw()),
            Form::Typed => tensor.contents = Some(self.elements.typed()),
        }
        response.outputs.push(tensor);
    }
}

impl RequestedOutput {
    /// The output for these images, whose rankings must contain all classes.
    pub(crate) fn tensor(self, images: &[Classification]) -> OutputTensor {
        OutputTensor {
            name: self.output.name(),
            shape: self.shape(images),
            elements: self.elements(images),
        }
    }

    fn shape(self, images: &[Classification]) -> Vec<i64> {
        let length = |length: usize| i64::try_from(length).expect("short");
        let classes = images
            .first()
            .map_or(0, |image| image.logits.values().len());
        let dims = self
            .top_k
            .map_or_else(|| self.output.dims(classes), |top_k| vec![length(top_k)]);
        iter::once(length(images.len())).chain(dims).collect()
    }

    fn elements(self, images: &[Classification]) -> Elements {
        if let Some(top_k) = self.top_k {
            let texts = images.iter().flat_map(|image| {
                let classes = image.ranking.classes().iter().take(top_k);
                classes.map(|class| self.text(image, class))
            });
            return Elements::Strings(texts.collect());
        }
        match self.output {
            Output::Label => {
                let best = |image: &Classification| {
                    let index = image.ranking.classes()[0].index;
                    image.classifier.labels()[index].clone()
                };
                Elements::Strings(images.iter().map(best).collect())
            }
            Output::Probabilities => {
                Elements::Fp32(images.iter().flat_map(probabilities).collect())
            }
            Output::Logits => {
                let logits = images.iter().flat_map(|image| image.logits.values());
                Elements::Fp32(logits.copied().collect())
            }
        }
    }

    /// In Triton's format.
    fn text(self, image: &Classification, class: &Ranked) -> String {
        let value = match self.output {
            Output::Logits => image.logits.values()[class.index],
            Output::Probabilities | Output::Label => class.probability,
        };
        let label = &image.classifier.labels()[class.index];
        format!("{value:.6}:{}:{label}", class.index)
    }
}

/// The probabilities in order of class index.
fn probabilities(image: &Classification) -> Vec<f32> {
    let mut probabilities = vec![0.0; image.logits.values().len()];
    for class in image.ranking.classes() {
        probabilities[class.index] = class.probability;
    }
    probabilities
}

impl Elements {
    /// As bytes, little-endian; each string behind its length.
    pub(crate) fn raw(self) -> Bytes {
        match self {
            Self::Fp32(values) => values.into_iter().flat_map(f32::to_le_bytes).collect(),
            Self::Strings(texts) => texts
                .into_iter()
                .flat_map(|text| {
                    let length = u32::try_from(text.len()).expect("labels are short");
                    length.to_le_bytes().into_iter().chain(text.into_bytes())
                })
                .collect(),
        }
    }

    fn typed(self) -> InferTensorContents {
        match self {
            Self::Fp32(fp32_contents) => InferTensorContents {
                fp32_contents,
                ..Default::default()
            },
            Self::Strings(texts) => InferTensorContents {
                bytes_contents: texts.into_iter().map(Bytes::from).collect(),
                ..Default::default()
            },
        }
    }
}
