use std::time::Duration;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tonic_types::ErrorDetails;

use crate::request::{error::RequestError, head::RequestHead, method::is_oip_path};

/// `body` as JSON.
pub(crate) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("text and numbers are JSON");
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, body).into_response()
}

/// Translates rejections, which every layer writes for gRPC, to HTTP status codes and JSON.
pub(crate) async fn as_json(request: Request, next: Next) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let is_oip = is_oip_path(request.uri().path());
    let response = next.run(request).await;
    match response.extensions().get() {
        Some(error) => write_error(error, head.id.as_str(), is_oip),
        None => response,
    }
}

/// The Open Inference Protocol has the message as `error`.
fn write_error(error: &RequestError, request_id: &str, is_oip: bool) -> Response {
    let http_status = error.http_status();
    let mut body = json!({
        "code": i32::from(error.code()),
        "message": error.to_string(),
        "details": any(&error.details(request_id)),
    });
    if is_oip {
        body["error"] = body["message"].clone();
    }
    let mut response = json_response(http_status, &body);
    let headers = response.headers_mut();
    if let Some(delay) = error.retry_delay() {
        headers.insert(header::RETRY_AFTER, whole_seconds(delay).into());
    }
    if http_status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// The details as ProtoJSON writes google.protobuf.Any.
fn any(details: &ErrorDetails) -> Vec<Value> {
    let mut all = Vec::new();
    if let Some(info) = details.error_info() {
        all.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": info.reason,
            "domain": info.domain,
            "metadata": info.metadata,
        }));
    }
    if let Some(request) = details.bad_request() {
        let violations = request.field_violations.iter();
        let violations = violations.map(
            |violation| json!({ "field": violation.field, "description": violation.description }),
        );
        all.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": violations.collect::<Vec<_>>(),
        }));
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        all.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}.{:03}s", delay.as_secs(), delay.subsec_millis()),
        }));
    }
    all
}

/// Rounded up: HTTP has no fractions of a second.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (milliseconds, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), seconds);
        }
    }
}
