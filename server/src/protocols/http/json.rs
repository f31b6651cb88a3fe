use std::time::Duration;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use imageclassifier_proto::ErrorReason;
use serde::Serialize;
use serde_json::{Value, json};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::request::error::http_status;

/// `body` as JSON.
pub(super) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("text and numbers are JSON");
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, body).into_response()
}

/// Every layer refuses calls as gRPC does; a shell wants HTTP's own status, and JSON.
pub(crate) async fn as_json(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match Status::from_header_map(response.headers()) {
        Some(status) => write_error(&status),
        None => response,
    }
}

fn write_error(status: &Status) -> Response {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    let reason = reason.and_then(ErrorReason::from_str_name);
    let http_status = http_status(status.code(), reason.unwrap_or_default());
    let body = json!({
        "code": i32::from(status.code()),
        "message": status.message(),
        "details": any(&details),
    });
    let mut response = json_response(http_status, &body);
    let headers = response.headers_mut();
    if let Some(delay) = retry_delay(&details) {
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
    if let Some(delay) = retry_delay(details) {
        all.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}.{:03}s", delay.as_secs(), delay.subsec_millis()),
        }));
    }
    all
}

fn retry_delay(details: &ErrorDetails) -> Option<Duration> {
    details.retry_info()?.retry_delay
}

/// HTTP knows no parts of a second: rather a little later.
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
