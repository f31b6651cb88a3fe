use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, header};

use crate::{
    guard::message_meter::{BodyLimits, is_stream, too_large},
    observe::error_reporter::ErrorReporter,
    request::head::{Protocol, RequestHead},
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
        return reporter.reject(&head, &too_large(head.method, limits));
    }
    next.run(request).await
}

fn bytes_max(head: &RequestHead, headers: &HeaderMap, limits: BodyLimits) -> u64 {
    let starts_with = |name: HeaderName, prefix: &[u8]| {
        let value = headers.get(name).map(|value| value.as_bytes());
        value.is_some_and(|value| value.to_ascii_lowercase().starts_with(prefix))
    };
    let is_image = head.protocol == Protocol::Http && head.method.has_one_image();
    if is_stream(head.method) {
        // Each message is limited; the whole stream is not.
        u64::MAX
    } else if !is_image || headers.contains_key(header::CONTENT_ENCODING) {
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

#[cfg(test)]
mod tests {
    use axum::{body::Body, middleware};

    use super::*;
    use crate::{
        guard::fixture::{LIMITS, PASSED, answer, passing, reporter, request},
        request::head::Method,
    };

    const EXPECTS: (&str, &str) = ("expect", "100-continue");
    const FORM: (&str, &str) = ("content-type", "Multipart/Form-Data; boundary=x");
    const GZIP: (&str, &str) = ("content-encoding", "gzip");

    async fn is_accepted(
        protocol: Protocol,
        method: Method,
        headers: &[(&'static str, &str)],
        bytes: u64,
    ) -> bool {
        let bytes = bytes.to_string();
        let headers = [headers, &[("content-length", &bytes)]].concat();
        let layer = middleware::from_fn_with_state((LIMITS, reporter()), check);
        let request = request(protocol, method, &headers, Body::empty());
        answer(passing().layer(layer), request).await.status() == PASSED
    }

    #[tokio::test]
    async fn an_announced_body_may_be_as_long_as_its_kind_allows() {
        let image = LIMITS.image_bytes_max;
        let message = LIMITS.message_bytes_max as u64;
        let png = ("content-type", "image/png");
        for (protocol, method, headers, bytes_max) in [
            (Protocol::Http, Method::Classify, &[][..], image),
            (Protocol::Http, Method::Classify, &[png], image),
            (Protocol::Http, Method::Classify, &[FORM], image + 65_536),
            (Protocol::Http, Method::Classify, &[GZIP], message),
            (Protocol::Http, Method::Classify, &[FORM, GZIP], message),
            (Protocol::Http, Method::ModelInfer, &[], message),
            (Protocol::GrpcWeb, Method::Classify, &[], message),
            (Protocol::Grpc, Method::ClassifyBatch, &[], message),
        ] {
            let case = format!("{protocol:?}, {method:?}, {headers:?}");
            let headers = [headers, &[EXPECTS]].concat();
            let longest = is_accepted(protocol, method, &headers, bytes_max).await;
            assert!(longest, "{case}: {bytes_max} bytes");
            let longer = is_accepted(protocol, method, &headers, bytes_max + 1).await;
            assert!(!longer, "{case}: more than {bytes_max} bytes");
        }
    }

    #[tokio::test]
    async fn a_stream_may_be_of_any_length() {
        for method in [Method::ClassifyStream, Method::PublishModel] {
            let accepted = is_accepted(Protocol::Grpc, method, &[EXPECTS], 1 << 40).await;
            assert!(accepted, "{method:?}");
        }
    }

    #[tokio::test]
    async fn clients_that_do_not_wait_are_answered_by_inner_layers() {
        let bytes = u64::MAX;
        assert!(is_accepted(Protocol::Http, Method::Classify, &[], bytes).await);
    }
}
