//! The protocol in plain HTTP: what gRPC's messages say, in JSON, with or without binary tensors.

mod body;
mod description;
mod health;
mod limits;
mod rejections;
mod results;

use bytes::Bytes;
use http::{Request, Response};
use imageclassifier_proto::inference::{ModelInferRequest, ModelInferResponse};
use serde_json::Value;
use tonic::Status;

use crate::{
    app::App,
    plain::read_error,
    protocol::{Http, send},
};

const JSON_LENGTH: &str = "inference-header-content-length";

async fn get(app: &App, path: &str) -> Response<Bytes> {
    send(app.address, Http::One, Request::get(path), Bytes::new()).await
}

async fn post(
    app: &App,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app.address, Http::One, request, body.into()).await
}

fn json(response: &Response<Bytes>) -> Value {
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(response.body()).unwrap()
}

/// The error, which the protocol's own clients read from `error`.
fn error(response: &Response<Bytes>) -> Status {
    let status = read_error(response);
    assert_eq!(json(response)["error"], status.message());
    status
}

/// The same request as over gRPC.
async fn infer_over_http(
    app: &App,
    request: &ModelInferRequest,
) -> Result<ModelInferResponse, Status> {
    let (path, json_bytes, body) = body::write(request);
    let length = json_bytes.map(|bytes| bytes.to_string());
    let length = length.as_deref().map(|length| (JSON_LENGTH, length));
    let response = post(app, &path, length.as_slice(), body).await;
    match response.status().as_u16() {
        200 => Ok(body::read(&response)),
        _ => Err(error(&response)),
    }
}
