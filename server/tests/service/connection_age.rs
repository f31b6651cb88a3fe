//! Connections that have become too old end without losing a request.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use imageclassifier_client::{Classifier, RetryBudget};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    app::{App, within_seconds},
    protocol::frame,
    raw_http2::{END_STREAM, GOAWAY, HEADERS, RawHttp2},
    script::{Script, order},
};

const WINDOW: u32 = 1 << 20;

async fn classify(raw: &mut RawHttp2, stream: u32, work: &str) {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", "/imageclassifier.ImageClassifier/Classify"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    raw.ask(stream, &fields, Some(&frame(&order(work)))).await;
}

/// The streams that are answered before the connection ends, and how many times its end was announced.
async fn answered(raw: &mut RawHttp2) -> (Vec<u32>, usize) {
    let (mut streams, mut announced) = (Vec::new(), 0);
    while let Some(frame) = within_seconds(10, raw.next()).await {
        match frame.kind {
            HEADERS if frame.flags & END_STREAM != 0 => streams.push(frame.stream),
            GOAWAY => {
                announced += 1;
                if announced == 1 {
                    // Sent before the client knows which requests will be taken.
                    classify(raw, 3, "").await;
                }
            }
            _ => {}
        }
    }
    (streams, announced)
}

#[tokio::test]
async fn an_old_http2_connection_says_so_and_finishes_its_requests() {
    let options = ["--connection-age-max", "0.3", "--connection-age-grace", "9"];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut raw = RawHttp2::connect(app.address, WINDOW).await;
    classify(&mut raw, 1, "sleep 1500").await;
    let (streams, announced) = answered(&mut raw).await;
    assert_eq!(streams, [3, 1]);
    assert!(announced > 0);
    assert!(
        app.metric("imageclassifier_connections_cut_off_total")
            .await
            < 0.5
    );
}

#[tokio::test]
async fn an_old_http1_connection_ends_with_its_next_response() {
    let options = ["--connection-age-max", "1", "--connection-age-grace", "9"];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let stream = TokioIo::new(TcpStream::connect(app.address).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    // The second request finds the connection idle and old.
    for (age, close) in [
        (Duration::ZERO, None),
        (Duration::from_millis(1200), Some("close")),
    ] {
        sleep(age).await;
        let request = Request::get("/nothing").header("host", "localhost");
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let header = response.headers().get("connection");
        assert_eq!(header.map(|value| value.to_str().unwrap()), close);
        response.into_body().collect().await.unwrap();
    }
    within_seconds(5, connection).await.unwrap().unwrap();
    assert!(app.metric("imageclassifier_connections_aged_total").await > 0.5);
}

#[tokio::test]
async fn requests_that_outlast_the_grace_are_cut_off() {
    let options = [
        "--connection-age-max",
        "0.3",
        "--connection-age-grace",
        "0.3",
    ];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut raw = RawHttp2::connect(app.address, WINDOW).await;
    classify(&mut raw, 1, "sleep 2500").await;
    let (streams, announced) = within_seconds(2, answered(&mut raw)).await;
    assert!(!streams.contains(&1) && announced > 0, "{streams:?}");

    let image = order("sleep 2500").image_data;
    let head = format!(
        "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        image.len()
    );
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream
        .write_all(&[head.as_bytes(), &image].concat())
        .await
        .unwrap();
    let mut received = Vec::new();
    let _ = within_seconds(2, stream.read_to_end(&mut received)).await;
    assert!(received.is_empty());
    assert!(
        app.metric("imageclassifier_connections_cut_off_total")
            .await
            > 1.5
    );
}

#[tokio::test]
async fn the_rust_client_loses_no_request_to_old_connections() {
    let options = ["--connection-age-max", "0.2", "--connection-age-grace", "9"];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let classifier = Classifier::new(&app.url()).unwrap();
    // Nothing is sent again that the server may have processed.
    let classifier = classifier.with_retry_budget(Some(RetryBudget {
        max_tokens: 1.0,
        token_ratio: 0.0,
    }));
    let until = Instant::now() + Duration::from_secs(3);
    let users = (0..8).map(|_| async {
        while Instant::now() < until {
            classifier.list_models().await.unwrap();
        }
    });
    join_all(users).await;
    let aged = app.metric("imageclassifier_connections_aged_total").await;
    assert!(aged > 8.0, "{aged}");
}
