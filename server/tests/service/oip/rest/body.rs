//! The messages of gRPC as bodies of plain HTTP, and back, so that tests of the one are tests of the other.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::Response;
use imageclassifier_proto::inference::{
    InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse,
    infer_parameter::ParameterChoice, model_infer_response::InferOutputTensor,
};
use serde_json::{Map, Value, json};

use super::JSON_LENGTH;

pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Path, length of the JSON if tensors follow it, and body. The response has the form of the request.
pub(super) fn write(request: &ModelInferRequest) -> (String, Option<usize>, Bytes) {
    let raw = &request.raw_input_contents;
    let raw = &raw[..raw.len().min(request.inputs.len())];
    let inputs = request.inputs.iter().enumerate().map(|(index, input)| {
        let mut parameters = parameters(&input.parameters);
        let mut written = json!({
            "name": input.name,
            "datatype": input.datatype,
            "shape": input.shape,
        });
        if let Some(tensor) = raw.get(index) {
            parameters.insert("binary_data_size".to_owned(), json!(tensor.len()));
        }
        if let Some(contents) = &input.contents {
            if !contents.bytes_contents.is_empty() {
                parameters.insert("content_type".to_owned(), json!("base64"));
            }
            written["data"] = data(contents);
        }
        written["parameters"] = parameters.into();
        written
    });
    let outputs = request
        .outputs
        .iter()
        .map(|output| json!({ "name": output.name, "parameters": parameters(&output.parameters) }));
    let body = json!({
        "id": request.id,
        "parameters": { "binary_data_output": !raw.is_empty() },
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
    });
    let json = body.to_string();
    let mut path = format!("/v2/models/{}", request.model_name);
    if !request.model_version.is_empty() {
        path += &format!("/versions/{}", request.model_version);
    }
    let json_bytes = (!raw.is_empty()).then_some(json.len());
    let body = [json.as_bytes(), &raw.concat()].concat();
    (path + "/infer", json_bytes, body.into())
}

fn data(contents: &InferTensorContents) -> Value {
    let InferTensorContents {
        int_contents,
        fp32_contents,
        bytes_contents,
        ..
    } = contents;
    if !bytes_contents.is_empty() {
        return bytes_contents.iter().map(|bytes| base64(bytes)).collect();
    }
    if !int_contents.is_empty() {
        return json!(int_contents);
    }
    // In rows, as a client with arrays would send them.
    fp32_contents.chunks(7).map(|row| json!(row)).collect()
}

fn parameters<'a>(
    parameters: impl IntoIterator<Item = (&'a String, &'a InferParameter)>,
) -> Map<String, Value> {
    let parameters = parameters.into_iter();
    let written = parameters.map(|(name, parameter)| {
        let value = match parameter.parameter_choice.as_ref().unwrap() {
            ParameterChoice::Int64Param(number) => json!(number),
            ParameterChoice::StringParam(text) => json!(text),
            other => panic!("no test sends {other:?}"),
        };
        (name.clone(), value)
    });
    written.collect()
}

pub(super) fn read(response: &Response<Bytes>) -> ModelInferResponse {
    assert_eq!(response.status(), 200);
    let body = response.body();
    let json_bytes = response.headers().get(JSON_LENGTH);
    let json_bytes = json_bytes.map(|bytes| bytes.to_str().unwrap().parse().unwrap());
    let (json, mut raw) = body.split_at(json_bytes.unwrap_or(body.len()));
    let json: Value = serde_json::from_slice(json).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut answer = ModelInferResponse {
        model_name: text(&json["model_name"]),
        model_version: text(&json["model_version"]),
        id: text(&json["id"]),
        ..Default::default()
    };
    for output in json["outputs"].as_array().unwrap() {
        let shape = output["shape"].as_array().unwrap().iter();
        let mut tensor = InferOutputTensor {
            name: text(&output["name"]),
            datatype: text(&output["datatype"]),
            shape: shape.map(|axis| axis.as_i64().unwrap()).collect(),
            ..Default::default()
        };
        if let Some(bytes) = output["parameters"]["binary_data_size"].as_u64() {
            let (tensor, rest) = raw.split_at(usize::try_from(bytes).unwrap());
            answer
                .raw_output_contents
                .push(Bytes::copy_from_slice(tensor));
            raw = rest;
        } else {
            tensor.contents = Some(contents(output["data"].as_array().unwrap()));
        }
        answer.outputs.push(tensor);
    }
    assert!(raw.is_empty());
    answer
}

#[allow(clippy::cast_possible_truncation, reason = "they were f32 before")]
fn contents(data: &[Value]) -> InferTensorContents {
    let numbers = data.iter().filter_map(Value::as_f64);
    let texts = data.iter().filter_map(Value::as_str);
    InferTensorContents {
        fp32_contents: numbers.map(|number| number as f32).collect(),
        bytes_contents: texts
            .map(|text| Bytes::copy_from_slice(text.as_bytes()))
            .collect(),
        ..Default::default()
    }
}
