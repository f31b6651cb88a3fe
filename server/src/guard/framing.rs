use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};

/// Answers 501 if a transfer coding compresses the body. RFC 9112 allows such codings and no known client sends them, but
/// the bytes would be taken for uncompressed ones.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    let codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let mut codings = codings.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    if codings.all(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        return next.run(request).await;
    }
    let help = "The only transfer coding is chunked: compress the body with Content-Encoding: gzip or zstd.\n";
    (StatusCode::NOT_IMPLEMENTED, help).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, middleware};

    use super::*;
    use crate::{
        guard::fixture::{PASSED, answer, passing, request},
        request::head::{Method, Protocol},
    };

    #[tokio::test]
    async fn chunked_is_the_only_transfer_coding() {
        for (codings, expected) in [
            (&[][..], PASSED),
            (&["chunked"], PASSED),
            (&[" Chunked "], PASSED),
            (&["gzip"], StatusCode::NOT_IMPLEMENTED),
            (&["gzip, chunked"], StatusCode::NOT_IMPLEMENTED),
            (&["gzip", "chunked"], StatusCode::NOT_IMPLEMENTED),
            (&["chunked,gzip"], StatusCode::NOT_IMPLEMENTED),
        ] {
            let headers: Vec<_> = codings.iter().map(|&c| ("transfer-encoding", c)).collect();
            let request = request(Protocol::Http, Method::Classify, &headers, Body::empty());
            let layered = passing().layer(middleware::from_fn(check));
            let status = answer(layered, request).await.status();
            assert_eq!(status, expected, "{codings:?}");
        }
    }
}
