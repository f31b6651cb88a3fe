use std::io;

use axum::{Router, middleware};
use futures_util::stream;
use http::StatusCode;

use super::*;
use crate::guard::fixture::{Counted, PASSED, answer, passing};

fn layered(service: Router) -> Router {
    service.layer(middleware::from_fn(receive))
}

fn request(version: Version, headers: &[(&'static str, &'static str)], body: Body) -> Request {
    let mut request = Request::new(body);
    *request.version_mut() = version;
    for &(name, value) in headers {
        let value = http::HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    request
}

#[tokio::test]
async fn after_an_early_answer_the_rest_is_read_if_the_client_needs_that() {
    const JPEG: (&str, &str) = ("content-type", "image/jpeg");
    const GRPC: (&str, &str) = ("content-type", "application/grpc");
    const GRPC_WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");
    const WAITS: (&str, &str) = ("expect", "100-continue");
    for (version, headers, reads) in [
        (Version::HTTP_11, &[JPEG][..], true),
        (Version::HTTP_11, &[GRPC_WEB], true),
        (Version::HTTP_11, &[JPEG, WAITS], false),
        (Version::HTTP_2, &[JPEG], true),
        (Version::HTTP_2, &[], true),
        (Version::HTTP_2, &[GRPC_WEB], false),
        (Version::HTTP_2, &[GRPC], false),
    ] {
        for (frames, most) in [(3, 3), (100, 65)] {
            let (body, read) = Counted::new(frames).split();
            let response = answer(layered(passing()), request(version, headers, body)).await;
            assert_eq!(response.status(), PASSED);
            let expected = if reads { most } else { 0 };
            assert_eq!(read.await, expected, "{version:?}, {headers:?}, {frames}");
        }
    }
}

#[tokio::test]
async fn the_rest_is_read_once_a_client_that_waits_has_been_told_to_send() {
    let service = Router::new().fallback(async |request: Request| {
        let _first = request.into_body().frame().await;
        PASSED
    });
    let (body, read) = Counted::new(3).split();
    let waits = [("expect", "100-continue")];
    let response = answer(layered(service), request(Version::HTTP_11, &waits, body)).await;
    assert_eq!(response.status(), PASSED);
    assert_eq!(read.await, 3);
}

/// Whether the client counts as gone after a body that ends with `error`.
async fn left_after(error: io::Error) -> bool {
    let body = Body::from_stream(stream::iter([Ok(Bytes::from("part")), Err(error)]));
    let service = Router::new().fallback(async |request: Request| {
        let client_left = ClientLeft::from_extensions(request.extensions());
        assert!(request.into_body().collect().await.is_err());
        if client_left.is_set() {
            StatusCode::GONE
        } else {
            StatusCode::BAD_REQUEST
        }
    });
    let response = answer(layered(service), request(Version::HTTP_11, &[], body)).await;
    response.status() == StatusCode::GONE
}

#[tokio::test]
async fn a_client_that_is_cut_off_has_left_and_one_that_sends_nonsense_has_not() {
    for (kind, expected) in [
        (io::ErrorKind::UnexpectedEof, true),
        (io::ErrorKind::ConnectionReset, true),
        (io::ErrorKind::InvalidInput, false),
        (io::ErrorKind::InvalidData, false),
    ] {
        assert_eq!(left_after(kind.into()).await, expected, "{kind:?}");
    }
}
