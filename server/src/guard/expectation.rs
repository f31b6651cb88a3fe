use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, header};

use crate::{
    guard::body_limit::BodyLimits,
    observe::error_reporter::ErrorReporter,
    request::{
        error::RequestError,
        head::{Protocol, RequestHead},
    },
};

/// Most bytes that a form has beside its file.
const FORM_BYTES_MAX: u64 = 64 << 10;

/// Rejects a body whose announced length is over the limit, if the client waits for `100 Continue` before it sends the
/// body. Other clients listen only after they have sent the body, so they get the answer then.
pub(crate) async fn check(
    State((limits, reporter)): State<(BodyLimits, ErrorReporter)>,
    request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let headers = request.headers();
    let waits = headers.contains_key(header::EXPECT);
    if waits && content_length(headers) > bytes_max(&head, headers, limits) {
        let bytes_max = limits.image_bytes_max;
        return reporter.reject(&head, &RequestError::MessageTooLarge { bytes_max });
    }
    next.run(request).await
}

fn bytes_max(head: &RequestHead, headers: &HeaderMap, limits: BodyLimits) -> u64 {
    let starts_with = |name: HeaderName, prefix: &[u8]| {
        let value = headers.get(name).map(|value| value.as_bytes());
        value.is_some_and(|value| value.to_ascii_lowercase().starts_with(prefix))
    };
    let is_image = head.protocol == Protocol::Http && head.method.has_one_image();
    if !is_image || headers.contains_key(header::CONTENT_ENCODING) {
        limits.message_bytes_max as u64
    } else if starts_with(header::CONTENT_TYPE, b"multipart/") {
        limits.image_bytes_max + FORM_BYTES_MAX
    } else {
        limits.image_bytes_max
    }
}

/// Zero if the length is not announced.
fn content_length(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or_default()
}
