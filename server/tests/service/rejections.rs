//! Rejections that come before any method: each says what is wrong.

use bytes::Bytes;
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Status};

use crate::{
    app::{App, within_seconds},
    protocol::{Http, send},
    raw_http2::{END_STREAM, HEADERS, RawHttp2},
};

const GET_MODEL: &str = "/imageclassifier.ImageClassifier/GetModel";

/// What the server answers to these bytes, up to the end of the connection.
async fn raw(app: &App, request: &str) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within_seconds(5, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether the description of plain HTTP lists this status.
fn is_described(status: &str) -> bool {
    let openapi = include_str!("../../../proto/openapi.json");
    let openapi: serde_json::Value = serde_json::from_str(openapi).unwrap();
    openapi["paths"]["/v1/classify"]["post"]["responses"][status].is_object()
}

#[tokio::test]
async fn paths_that_lead_nowhere_are_named() {
    let app = App::start().await;
    for path in ["/classify", "//v1/classify", "/api/v1/classify"] {
        for version in [Http::One, Http::Two] {
            let request = Request::post(path).header("content-type", "image/png");
            let response = send(app.address, version, request, Bytes::new()).await;
            assert_eq!(response.status(), 404, "{path}");
            let body = String::from_utf8(response.into_body().into()).unwrap();
            assert!(body.contains(&format!("POST {path}.")), "{body}");
            assert!(body.contains("/v1/classify"), "{body}");
        }
    }
}

#[tokio::test]
async fn the_error_for_a_foreign_page_names_the_option() {
    let app = App::start().await;
    for path in [GET_MODEL, "/v1/classify"] {
        let request = Request::post(path)
            .header("content-type", "application/grpc-web+proto")
            .header("origin", "https://evil.example.com");
        let response = send(app.address, Http::One, request, Bytes::new()).await;
        assert_eq!(response.status(), 403, "{path}");
        let body = String::from_utf8(response.into_body().into()).unwrap();
        assert!(body.contains("https://evil.example.com"), "{path}: {body}");
        assert!(body.contains("--cors-origin"), "{path}: {body}");
    }
}

#[tokio::test]
async fn grpc_over_http_1_is_told_what_it_needs() {
    let app = App::start().await;
    let request = Request::post(GET_MODEL).header("content-type", "application/grpc");
    let response = send(app.address, Http::One, request, Bytes::new()).await;
    assert_eq!(response.status(), 400);
    let body = String::from_utf8(response.into_body().into()).unwrap();
    assert!(body.contains("HTTP/2"), "{body}");
}

#[tokio::test]
async fn a_missing_host_is_named() {
    let app = App::start().await;
    let answer = raw(&app, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
    assert!(answer.contains("no Host header"), "{answer}");
}

#[tokio::test]
async fn rejects_too_much_metadata() {
    let app = App::start().await;
    let request = Request::post(GET_MODEL)
        .header("content-type", "application/grpc")
        .header("x-much", "m".repeat(20_000));
    let response = send(app.address, Http::Two, request, Bytes::from_static(&[0; 5])).await;
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert!(status.message().contains("metadata"), "{status:?}");
    let request = Request::post("/v1/classify").header("x-much", "m".repeat(20_000));
    let response = send(app.address, Http::One, request, Bytes::new()).await;
    assert_eq!(response.status(), 431);
    assert!(is_described("431"));
}

#[tokio::test]
async fn a_body_that_would_be_too_long_is_rejected_before_it_is_sent() {
    let app = App::start().await;
    let head = "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: 100-continue\r\n\
                content-length: 50000000\r\n\r\n";
    let answer = raw(&app, head).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("IMAGE_TOO_LARGE"), "{answer}");
}

#[tokio::test]
async fn a_compressed_transfer_is_not_read_as_plain_bytes() {
    let app = App::start().await;
    let head = "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    let answer = raw(&app, head).await;
    assert!(answer.starts_with("HTTP/1.1 501"), "{answer}");
    assert!(answer.contains("Content-Encoding"), "{answer}");
    assert!(is_described("501"));
}

/// Some clients, such as gRPC for Go, take a head with a status for an error only if the stream ends with it.
#[tokio::test]
async fn a_response_without_messages_ends_with_its_head() {
    let app = App::start().await;
    let mut raw = RawHttp2::connect(app.address, 1 << 20).await;
    let too_long = [0, 0xff, 0xff, 0xff, 0xff];
    for (stream, path, timeout, body) in [
        (1, GET_MODEL, "soon", &[0; 5]),
        (3, "/grpc.health.v1.Health/Watch", "1S", &too_long),
    ] {
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "localhost"),
            (":path", path),
            ("content-type", "application/grpc"),
            ("grpc-timeout", timeout),
        ];
        raw.ask(stream, &fields, Some(body)).await;
        let head = within_seconds(5, async {
            loop {
                let frame = raw.next().await.unwrap();
                if frame.kind == HEADERS && frame.stream == stream {
                    break frame;
                }
            }
        });
        assert_eq!(head.await.flags & END_STREAM, END_STREAM, "{path}");
    }
}
