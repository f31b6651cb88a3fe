//! Bodies of the Open Inference Protocol in plain HTTP, JSON with and without binary tensors. For any body, the response is
//! an error in JSON, or has as many bytes behind its JSON as that announces.

use std::sync::OnceLock;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, Version, header};
use serde_json::Value;

use crate::service::Service;

/// A low limit, so that bodies over the limit are short.
const OPTIONS: [&str; 2] = ["--image-bytes-max", "1000"];
const MODELS: [&str; 2] = ["efficientnet-lite0", "efficientnet-lite0-preprocessed"];
const JSON_LENGTH: &str = "inference-header-content-length";
/// Stands for no length.
const NONE: u16 = u16::MAX;

/// Posts the body. The first byte of `data` selects the model, the next two have the length of the JSON.
pub fn run(data: &[u8]) {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let &[model, low, high, ref body @ ..] = data else {
        return;
    };
    let model = MODELS[usize::from(model) % MODELS.len()];
    let mut request = Request::post(format!("/v2/models/{model}/infer"))
        .version(Version::HTTP_11)
        .header(header::HOST, "localhost");
    let json_bytes = u16::from_le_bytes([low, high]);
    if json_bytes != NONE {
        request = request.header(JSON_LENGTH, json_bytes);
    }
    let request = request.body(Body::from(Bytes::copy_from_slice(body)));
    let service = SERVICE.get_or_init(|| Service::start(&OPTIONS, ""));
    let response = service.call(request.unwrap());
    let json_bytes = response.headers.get(JSON_LENGTH).map(|bytes| {
        let bytes = bytes.to_str().expect("a number");
        bytes.parse().expect("a number")
    });
    let json_bytes = json_bytes.unwrap_or(response.body.len());
    let json: Value = serde_json::from_slice(&response.body[..json_bytes]).expect("JSON");
    if response.http_status != StatusCode::OK {
        assert!(response.http_status.is_client_error(), "{json}");
        assert!(!json["error"].as_str().expect("a message").is_empty());
        return;
    }
    let outputs = json["outputs"].as_array().expect("outputs").iter();
    let tensors = outputs.filter_map(|output| output["parameters"]["binary_data_size"].as_u64());
    assert_eq!(
        tensors.sum::<u64>(),
        (response.body.len() - json_bytes) as u64
    );
}
