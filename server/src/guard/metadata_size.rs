use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    observe::error_reporter::ErrorReporter,
    request::{error::RequestError, head::RequestHead},
};

/// More than any of our clients needs.
const METADATA_BYTES_MAX: usize = 16 << 10;
/// What HPACK adds to each header, by RFC 7541.
const OVERHEAD_BYTES: usize = 32;

/// Rejects requests with too much metadata. The HTTP/2 library would do so without a message.
pub(crate) async fn check(
    State(reporter): State<ErrorReporter>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().iter();
    let bytes: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len() + OVERHEAD_BYTES)
        .sum();
    if bytes <= METADATA_BYTES_MAX {
        return next.run(request).await;
    }
    let head = RequestHead::from_extensions(request.extensions());
    let bytes_max = METADATA_BYTES_MAX;
    reporter.reject(&head, &RequestError::MetadataTooLarge { bytes, bytes_max })
}
