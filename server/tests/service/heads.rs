//! How long the head of a request may be.

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    app::{App, within_seconds},
    protocol::{Http, send},
    script::Script,
};

#[tokio::test]
async fn heads_are_bounded_in_both_versions_of_http() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    for (version, kib, expected) in [
        (Http::One, 60, StatusCode::OK),
        (Http::One, 65, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        (Http::One, 300, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        (Http::Two, 31, StatusCode::OK),
        (Http::Two, 33, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        (Http::Two, 40, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ] {
        let request = Request::get("/").header("x-padding", "x".repeat(kib << 10));
        let response = send(app.address, version, request, Bytes::new()).await;
        assert_eq!(response.status(), expected, "{kib} KiB, {version:?}");
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_not_collected() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}",
        "x".repeat(65 << 10)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = within_seconds(5, stream.read(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
