//! Requests of the protocol, and the elements of responses.

use bytes::{Buf, Bytes};
use imageclassifier_model::{DecodedImage, EncodedImage, Input};
use imageclassifier_proto::inference::{
    InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse,
    grpc_inference_service_client::GrpcInferenceServiceClient,
    infer_parameter::ParameterChoice,
    model_infer_request::{InferInputTensor, InferRequestedOutputTensor},
};
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt;

use crate::app::{App, photograph};

pub(super) const ENCODED: &str = "efficientnet-lite0";
pub(super) const PREPARED: &str = "efficientnet-lite0-preprocessed";
pub(super) const SIZE: usize = 224;

pub(crate) async fn client(app: &App) -> GrpcInferenceServiceClient<Channel> {
    GrpcInferenceServiceClient::new(app.channel().await)
}

pub(super) async fn infer(
    app: &App,
    request: ModelInferRequest,
) -> Result<ModelInferResponse, Status> {
    let answer = client(app).await.model_infer(request).await;
    answer.map(tonic::Response::into_inner)
}

/// Encoded images, as Triton's clients send them.
pub(super) fn encoded(images: &[Bytes]) -> ModelInferRequest {
    let raw = images.iter().flat_map(|image| {
        let length = u32::try_from(image.len()).unwrap().to_le_bytes();
        length.into_iter().chain(image.iter().copied())
    });
    ModelInferRequest {
        model_name: ENCODED.to_owned(),
        inputs: vec![InferInputTensor {
            name: "image".to_owned(),
            datatype: "BYTES".to_owned(),
            shape: vec![images.len().try_into().unwrap()],
            ..Default::default()
        }],
        raw_input_contents: vec![raw.collect()],
        ..Default::default()
    }
}

/// The same, in typed contents.
pub(super) fn encoded_typed(images: &[Bytes]) -> ModelInferRequest {
    let mut request = encoded(images);
    request.raw_input_contents.clear();
    request.inputs[0].contents = Some(InferTensorContents {
        bytes_contents: images.to_vec(),
        ..Default::default()
    });
    request
}

/// Images that the client has prepared.
pub(super) fn prepared(values: &[f32]) -> ModelInferRequest {
    let size = i64::try_from(SIZE).unwrap();
    let count = values.len() / (3 * SIZE * SIZE);
    ModelInferRequest {
        model_name: PREPARED.to_owned(),
        inputs: vec![InferInputTensor {
            name: "input".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![count.try_into().unwrap(), 3, size, size],
            ..Default::default()
        }],
        raw_input_contents: vec![
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        ],
        ..Default::default()
    }
}

pub(super) fn prepared_typed(values: &[f32]) -> ModelInferRequest {
    let mut request = prepared(values);
    request.raw_input_contents.clear();
    request.inputs[0].contents = Some(InferTensorContents {
        fp32_contents: values.to_vec(),
        ..Default::default()
    });
    request
}

/// A photograph as a client prepares it: red, green and blue planes.
pub(super) fn planes(name: &str) -> Vec<f32> {
    let image = EncodedImage::new(photograph(name), u64::MAX).unwrap();
    let input = Input::prepare(&DecodedImage::decode(&image, u64::MAX, 224).unwrap());
    let values = input.values();
    (0..3)
        .flat_map(|channel| values.iter().skip(channel).step_by(3).copied())
        .collect()
}

pub(super) fn output(name: &str, classification: Option<i64>) -> InferRequestedOutputTensor {
    let parameter = |top_k| InferParameter {
        parameter_choice: Some(ParameterChoice::Int64Param(top_k)),
    };
    let parameters = classification.map(|top_k| ("classification".to_owned(), parameter(top_k)));
    InferRequestedOutputTensor {
        name: name.to_owned(),
        parameters: parameters.into_iter().collect(),
    }
}

pub(super) fn position(answer: &ModelInferResponse, name: &str) -> usize {
    let mut names = answer.outputs.iter().map(|output| &*output.name);
    names.position(|output| output == name).unwrap()
}

pub(super) fn floats(answer: &ModelInferResponse, name: &str) -> Vec<f32> {
    let position = position(answer, name);
    let output = &answer.outputs[position];
    assert_eq!(output.datatype, "FP32");
    if let Some(contents) = &output.contents {
        assert!(answer.raw_output_contents.is_empty());
        return contents.fp32_contents.clone();
    }
    let raw = answer.raw_output_contents[position].chunks(4);
    raw.map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

pub(super) fn strings(answer: &ModelInferResponse, name: &str) -> Vec<String> {
    let position = position(answer, name);
    let output = &answer.outputs[position];
    assert_eq!(output.datatype, "BYTES");
    let elements = if let Some(contents) = &output.contents {
        assert!(answer.raw_output_contents.is_empty());
        contents.bytes_contents.clone()
    } else {
        let mut raw = answer.raw_output_contents[position].clone();
        let mut elements = Vec::new();
        while !raw.is_empty() {
            let length = raw.get_u32_le() as usize;
            elements.push(raw.split_to(length));
        }
        elements
    };
    let texts = elements.into_iter();
    texts
        .map(|text| String::from_utf8(text.into()).unwrap())
        .collect()
}

pub(super) fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}
