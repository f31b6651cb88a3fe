//! Responses in JSON, with or without binary tensors.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use imageclassifier_proto::inference as proto;
use proto::{DataType, model_input::Format, model_metadata_response::TensorMetadata};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    engine::Engine,
    protocols::{
        http::json_response,
        oip::{
            Inferred,
            models::Model,
            outputs::Elements,
            rest::{JSON_LENGTH, request::BinaryOutputs},
        },
    },
};

#[derive(Serialize)]
struct InferResponse<'a> {
    model_name: String,
    model_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    outputs: Vec<Output>,
}

#[derive(Serialize)]
struct Output {
    name: &'static str,
    datatype: &'static str,
    shape: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Elements>,
}

/// The elements follow the JSON.
#[derive(Serialize)]
struct BinarySize {
    binary_data_size: usize,
}

pub(super) fn write(inferred: &Inferred, binary: &BinaryOutputs) -> Response {
    let mut tensors = Vec::new();
    let outputs = inferred.outputs().enumerate();
    let outputs = outputs.map(|(index, tensor)| {
        let mut output = Output {
            name: tensor.name,
            datatype: tensor.datatype(),
            shape: tensor.shape,
            parameters: None,
            data: None,
        };
        if binary.contains(index) {
            let bytes = tensor.elements.raw();
            output.parameters = Some(BinarySize {
                binary_data_size: bytes.len(),
            });
            tensors.push(bytes);
        } else {
            output.data = Some(tensor.elements);
        }
        output
    });
    let response = InferResponse {
        model_name: inferred.model.name(),
        model_version: &inferred.model.version,
        id: &inferred.id,
        outputs: outputs.collect(),
    };
    if tensors.is_empty() {
        return json_response(StatusCode::OK, &response);
    }
    let mut body = serde_json::to_vec(&response).expect("text and numbers are JSON");
    let json_bytes = body.len();
    for tensor in tensors {
        body.extend_from_slice(&tensor);
    }
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (JSON_LENGTH, json_bytes.to_string()),
    ];
    (headers, body).into_response()
}

pub(super) fn metadata(model: &Model, engine: &Engine) -> Value {
    let metadata = model.metadata(engine);
    let tensors = |tensors: Vec<TensorMetadata>| -> Vec<Value> {
        let tensors = tensors.into_iter();
        let written = tensors.map(|tensor| {
            json!({
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": tensor.shape,
            })
        });
        written.collect()
    };
    json!({
        "name": metadata.name,
        "versions": metadata.versions,
        "platform": metadata.platform,
        "inputs": tensors(metadata.inputs),
        "outputs": tensors(metadata.outputs),
    })
}

/// In the words of Triton's configuration.
pub(super) fn config(model: &Model, engine: &Engine) -> Value {
    let config = model.config(engine);
    let datatype = |number| DataType::try_from(number).unwrap_or_default().as_str_name();
    let inputs = config.input.iter().map(|input| {
        json!({
            "name": input.name,
            "data_type": datatype(input.data_type),
            "format": Format::try_from(input.format).unwrap_or_default().as_str_name(),
            "dims": input.dims,
        })
    });
    let outputs = config.output.iter().map(|output| {
        json!({
            "name": output.name,
            "data_type": datatype(output.data_type),
            "dims": output.dims,
        })
    });
    json!({
        "name": config.name,
        "platform": config.platform,
        "max_batch_size": config.max_batch_size,
        "input": inputs.collect::<Vec<_>>(),
        "output": outputs.collect::<Vec<_>>(),
    })
}
