//! A request in JSON, with or without binary tensors, as the message that it stands for.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use imageclassifier_proto::inference as proto;
use proto::{
    InferTensorContents, ModelInferRequest,
    model_infer_request::{InferInputTensor, InferRequestedOutputTensor},
};
use serde::Deserialize;

use crate::{
    engine::ImageLimits,
    protocols::oip::{
        rest::{
            bounded::{Few, Parameters},
            elements::Elements,
        },
        tensor::whole_number,
    },
    request::error::{RequestError, excerpt},
};

/// How much of a parser's message the error shows: it may quote the body.
const PROBLEM_BYTES_MAX: usize = 160;
/// Length of a tensor behind the JSON, in bytes.
const BINARY_SIZE: &str = "binary_data_size";
/// Whether to send an output as bytes.
const BINARY: &str = "binary_data";
/// The same for outputs that do not say.
const BINARY_DEFAULT: &str = "binary_data_output";
/// With the value [`BASE64`], strings encode bytes.
const CONTENT_TYPE: &str = "content_type";
const BASE64: &str = "base64";

/// Which outputs the client wants as bytes.
#[derive(Debug, Default)]
pub(super) struct BinaryOutputs {
    default: bool,
    each: Vec<Option<bool>>,
}

impl BinaryOutputs {
    pub(super) fn contains(&self, index: usize) -> bool {
        let each = self.each.get(index).copied().flatten();
        each.unwrap_or(self.default)
    }
}

#[derive(Deserialize)]
struct InferRequest {
    id: Option<String>,
    parameters: Option<Parameters>,
    inputs: Few<Input>,
    outputs: Option<Few<Output>>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    datatype: String,
    shape: Few<i64>,
    parameters: Option<Parameters>,
    data: Option<Elements>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    parameters: Option<Parameters>,
}

/// Parses a body whose first `json_bytes` are JSON, or all. The message names no model.
///
/// # Errors
/// [`RequestError::JsonMalformed`], [`RequestError::TensorMalformed`].
pub(super) fn parse(
    body: &Bytes,
    json_bytes: Option<usize>,
    limits: ImageLimits,
) -> Result<(ModelInferRequest, BinaryOutputs), RequestError> {
    let json_bytes = match json_bytes {
        Some(0) => return Ok((lone_image(body.clone()), BinaryOutputs::default())),
        Some(bytes) if bytes > body.len() => {
            let problem = format!(
                "its JSON should have {bytes} bytes, but it has {}",
                body.len()
            );
            return Err(malformed(problem));
        }
        Some(bytes) => bytes,
        None => body.len(),
    };
    let json = &body[..json_bytes];
    check_count(json, limits)?;
    let request: InferRequest =
        serde_json::from_slice(json).map_err(|error| malformed(shorten(&error)))?;
    let mut binary = body.slice(json_bytes..);
    let mut message = ModelInferRequest {
        id: request.id.unwrap_or_default(),
        ..Default::default()
    };
    for input in request.inputs.0 {
        read_input(input, &mut binary, &mut message)?;
    }
    if !binary.is_empty() {
        let problem = format!("{} bytes follow its last tensor", binary.len());
        return Err(malformed(problem));
    }
    let parameters = request.parameters.unwrap_or_default();
    let outputs = request.outputs.map_or_else(Vec::new, |outputs| outputs.0);
    let outputs: Vec<_> = outputs.into_iter().map(Output::into_message).collect();
    let binary = BinaryOutputs {
        default: parameters.flag(BINARY_DEFAULT).unwrap_or_default(),
        each: outputs.iter().map(|(_, binary)| *binary).collect(),
    };
    message.outputs = outputs.into_iter().map(|(output, _)| output).collect();
    Ok((message, binary))
}

pub(super) fn malformed(problem: String) -> RequestError {
    RequestError::JsonMalformed { problem }
}

/// Rejects JSON with more elements than fit into a message as FP32: each takes more memory than its text. (Base64 has no
/// commas; in other strings they count too.)
fn check_count(json: &[u8], limits: ImageLimits) -> Result<(), RequestError> {
    let elements_max = limits.message_bytes_max / size_of::<f32>() as u64;
    let commas = json.iter().filter(|&&byte| byte == b',').count() as u64;
    if commas > elements_max {
        return Err(malformed(format!("it has over {elements_max} elements")));
    }
    Ok(())
}

fn shorten(error: &serde_json::Error) -> String {
    let mut problem = error.to_string();
    problem.truncate(problem.floor_char_boundary(PROBLEM_BYTES_MAX));
    problem
}

/// A body without JSON is one image.
fn lone_image(image: Bytes) -> ModelInferRequest {
    ModelInferRequest {
        inputs: vec![InferInputTensor {
            name: "image".to_owned(),
            datatype: "BYTES".to_owned(),
            shape: vec![1],
            contents: Some(InferTensorContents {
                bytes_contents: vec![image],
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn read_input(
    input: Input,
    binary: &mut Bytes,
    message: &mut ModelInferRequest,
) -> Result<(), RequestError> {
    let parameters = input.parameters.unwrap_or_default();
    let contents = match (input.data, parameters.0.get(BINARY_SIZE)) {
        (Some(elements), None) => Some(contents(elements, &parameters)?),
        (None, Some(bytes)) => {
            let bytes = whole_number(bytes).and_then(|bytes| usize::try_from(bytes).ok());
            let Some(bytes) = bytes.filter(|&bytes| bytes <= binary.len()) else {
                let problem = format!(
                    "{BINARY_SIZE} is not a number up to the {} bytes that follow",
                    binary.len()
                );
                return Err(malformed(problem));
            };
            message.raw_input_contents.push(binary.split_to(bytes));
            None
        }
        _ => {
            return Err(RequestError::tensor(
                "inputs",
                format!(
                    "{:?} has no elements, or has them twice: send either data, or {BINARY_SIZE} and bytes behind the JSON",
                    excerpt(&input.name)
                ),
            ));
        }
    };
    message.inputs.push(InferInputTensor {
        name: input.name,
        datatype: input.datatype,
        shape: input.shape.0,
        parameters: parameters.0,
        contents,
    });
    Ok(())
}

/// Whether the elements suit the tensor's type is checked with those of gRPC.
fn contents(
    elements: Elements,
    parameters: &Parameters,
) -> Result<InferTensorContents, RequestError> {
    let mut contents = InferTensorContents::default();
    match elements {
        Elements::None => {}
        Elements::Numbers(numbers) => contents.fp32_contents = numbers,
        Elements::Strings(strings) if parameters.text(CONTENT_TYPE) == Some(BASE64) => {
            let images = strings.into_iter().map(|text| BASE64_STANDARD.decode(text));
            let images: Result<Vec<_>, _> = images.map(|image| image.map(Bytes::from)).collect();
            contents.bytes_contents = images.map_err(|error| {
                let problem = format!("data is not base64, {error}: send each image in base64");
                RequestError::tensor("inputs", problem)
            })?;
        }
        Elements::Strings(strings) => {
            contents.bytes_contents = strings.into_iter().map(Bytes::from).collect();
        }
    }
    Ok(contents)
}

impl Output {
    fn into_message(self) -> (InferRequestedOutputTensor, Option<bool>) {
        let parameters = self.parameters.unwrap_or_default();
        let binary = parameters.flag(BINARY);
        let message = InferRequestedOutputTensor {
            name: self.name,
            parameters: parameters.0,
        };
        (message, binary)
    }
}
