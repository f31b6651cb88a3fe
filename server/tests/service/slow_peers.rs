//! Peers that hold a connection without using it.

use std::time::{Duration, Instant};

use imageclassifier_proto::ClassifyImageRequest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Protocol, classify},
    raw_http2::{GOAWAY, RawHttp2},
};

/// How long the server keeps a connection open on which only `sent` ever came.
async fn lifetime(app: &App, sent: &[u8]) -> (Duration, Vec<u8>) {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let opened_at = Instant::now();
    stream.write_all(sent).await.unwrap();
    let mut received = Vec::new();
    // Whether it is closed or reset does not matter here.
    let _ = within_seconds(10, stream.read_to_end(&mut received)).await;
    (opened_at.elapsed(), received)
}

#[tokio::test]
async fn connections_that_ask_for_nothing_are_closed() {
    let app = App::with(&["--first-request-timeout", "0.3", "--idle-timeout", "0.6"]).await;
    for (sent, seconds) in [
        ("", 0.3),
        ("PRI * HT", 0.3),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0.3),
        ("POST /imageclass", 0.3),
        ("GET / HTTP/1.1\r\nhost: loc", 0.3),
        ("GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n", 0.6),
    ] {
        let (lifetime, _) = lifetime(&app, sent.as_bytes()).await;
        let lifetime = lifetime.as_secs_f64();
        assert!(
            lifetime > seconds - 0.05,
            "{sent:?} closed after {lifetime} s"
        );
        assert!(
            lifetime < seconds + 1.0,
            "{sent:?} closed after {lifetime} s"
        );
    }
}

#[tokio::test]
async fn an_idle_http2_connection_announces_its_end() {
    let app = App::with(&["--first-request-timeout", "0.3"]).await;
    let mut raw = RawHttp2::connect(app.address, 0).await;
    let mut announced = false;
    within_seconds(10, async {
        while let Some(frame) = raw.next().await {
            announced |= frame.kind == GOAWAY;
        }
    })
    .await;
    assert!(announced);
}

#[tokio::test]
async fn an_unread_response_is_dropped() {
    let app = App::with(&["--write-timeout", "0.3", "--idle-timeout", "0.4"]).await;
    // HTTP/2: settings that grant no window, then GET / of localhost.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let no_window = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";
    let get = b"\0\0\x0e\x01\x05\0\0\0\x01\x82\x86\x84\x01\x09localhost";
    let (lifetime, received) = lifetime(&app, &[&preface[..], no_window, get].concat()).await;
    assert!(lifetime > Duration::from_millis(650), "{lifetime:?}");
    assert!(lifetime < Duration::from_millis(2000), "{lifetime:?}");
    let cancelled = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08";
    let mut frames = received.windows(cancelled.len());
    assert!(frames.any(|frame| frame == cancelled), "{received:?}");
}

#[tokio::test]
async fn an_upload_that_does_not_end_gets_an_error() {
    let app = App::with(&["--upload-timeout", "0.3"]).await;
    let call = "POST /imageclassifier.ImageClassifier/Classify HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/grpc-web+proto\r\ncontent-length: 1000\r\n\r\n\0\0\0\x03\u{7f}";
    let plain =
        "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n\u{7f}PNG";
    for (head, expected) in [
        (call, "grpc-status: 4\r\n"),
        (plain, "HTTP/1.1 504 Gateway Timeout\r\n"),
    ] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = within_seconds(5, stream.read(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.contains(expected), "{answer}");
    }
}

#[tokio::test]
async fn others_are_served_meanwhile() {
    let app = App::start().await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(TcpStream::connect(app.address).await.unwrap());
    }
    for protocol in Protocol::ALL {
        let request = ClassifyImageRequest {
            image_data: photograph("coffee.png"),
            ..Default::default()
        };
        let answer = within_seconds(5, classify(app.address, protocol, request)).await;
        assert_eq!(answer.unwrap().label, "espresso");
    }
}
