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

#[cfg(test)]
mod tests {
    use axum::{body::Body, middleware};

    use super::*;
    use crate::{
        guard::fixture::{self, PASSED, answer, passing},
        request::head::{Method, Protocol},
    };

    async fn is_accepted(headers: &[(&'static str, &str)]) -> bool {
        let layer = middleware::from_fn_with_state(fixture::reporter(), check);
        let (protocol, method) = (Protocol::Grpc, Method::Classify);
        let request = fixture::request(protocol, method, headers, Body::empty());
        answer(passing().layer(layer), request).await.status() == PASSED
    }

    #[tokio::test]
    async fn metadata_may_take_16_kib_with_what_hpack_adds() {
        // 64 bytes each.
        let value = "v".repeat(27);
        let mut headers = vec![("names", &*value); 256];
        assert!(is_accepted(&headers).await);
        headers[0].0 = "longer";
        assert!(!is_accepted(&headers).await, "a longer name");
        let longer = "v".repeat(28);
        headers[0] = ("names", &longer);
        assert!(!is_accepted(&headers).await, "a longer value");
    }
}
