//! The write timeout counts what a client leaves untaken of one response, and nothing else.

use std::{collections::BTreeSet, convert::Infallible, fs, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use imageclassifier_proto::{
    ClassifyBatchRequest, GetModelRequest, image_classifier_client::ImageClassifierClient,
};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::Code;

use crate::{
    app::{App, within_seconds},
    protocol::frame,
    raw_http2::{DATA, END_STREAM, RST_STREAM, RawHttp2},
    script::{Script, order},
};

const OPTIONS: [&str; 4] = ["--write-timeout", "0.3", "--idle-timeout", "10"];
/// Longer than the write timeout.
const PAUSE: Duration = Duration::from_millis(900);

#[tokio::test]
async fn a_stream_without_responses_due_does_not_time_out() {
    let app = App::with_stages(&OPTIONS, Script::default().stages()).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut client = ImageClassifierClient::new(app.channel().await);
    let answers = client.classify_stream(ReceiverStream::new(receiver)).await;
    let mut answers = answers.unwrap().into_inner();
    for work in ["", "", "sleep 900"] {
        sleep(PAUSE).await;
        sender.send(order(work)).await.unwrap();
        within_seconds(5, answers.next()).await.unwrap().unwrap();
    }
    drop(sender);
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn a_batch_whose_results_take_long_does_not_time_out() {
    let app = App::with_stages(&OPTIONS, Script::default().stages()).await;
    let mut client = ImageClassifierClient::new(app.channel().await);
    let requests = vec![order("sleep 900")];
    let answers = client
        .classify_batch(ClassifyBatchRequest { requests })
        .await;
    let answers: Vec<_> = answers.unwrap().into_inner().collect().await;
    assert_eq!(answers.len(), 1);
    answers[0].as_ref().unwrap();
}

#[tokio::test]
async fn an_image_may_take_longer_to_upload_on_a_stream() {
    let app = App::with_stages(&OPTIONS, Script::default().stages()).await;
    let io = TokioIo::new(TcpStream::connect(app.address).await.unwrap());
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let (sender, receiver) = mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
    let path = "/imageclassifier.ImageClassifier/ClassifyStream";
    let request = Request::post(format!("{}{path}", app.url()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(StreamBody::new(ReceiverStream::new(receiver)))
        .unwrap();
    let response = client.send_request(request).await.unwrap();
    let mut message = frame(&order(""));
    for piece in [message.split_to(2), message.split_to(6), message] {
        sleep(PAUSE).await;
        sender.send(Ok(Frame::data(piece))).await.unwrap();
    }
    drop(sender);
    let body = within_seconds(5, response.into_body().collect())
        .await
        .unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert!(!body.to_bytes().is_empty());
}

const GET_MODEL: [(&str, &str); 6] = [
    (":method", "POST"),
    (":path", "/imageclassifier.ImageClassifier/GetModel"),
    (":scheme", "http"),
    (":authority", "localhost"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
];

/// A client that reads the first bytes of a response shorter than what is handed over at once.
#[tokio::test]
async fn a_response_of_which_a_part_is_read_is_ended_too() {
    let app = App::with_stages(&OPTIONS, Script::default().stages()).await;
    let mut raw = RawHttp2::connect(app.address, 10).await;
    raw.ask(1, &GET_MODEL, Some(&[0; 5])).await;
    let mut bytes = 0;
    within_seconds(5, async {
        loop {
            let frame = raw.next().await.expect("the connection stays open");
            match frame.kind {
                DATA => bytes += frame.payload.len(),
                RST_STREAM => return,
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(bytes, 10);
}

/// A client that reads nothing of two responses and all of a third.
#[tokio::test]
async fn stalled_responses_are_ended_beside_one_that_moves() {
    const MOVING: u32 = 1;
    const STALLED: [u32; 2] = [3, 5];
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("large.js"), vec![b' '; 1 << 20]).unwrap();
    let root = folder.path().to_str().unwrap();
    let options = [&OPTIONS[..], &["--calls-max", "2", "--web-root", root]].concat();
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut other = ImageClassifierClient::new(app.channel().await);

    let mut raw = RawHttp2::connect(app.address, 0).await;
    let common = [(":scheme", "http"), (":authority", "localhost")];
    let get = [(":method", "GET"), (":path", "/large.js")];
    raw.ask(MOVING, &[get, common].concat(), None).await;
    for stream in STALLED {
        raw.ask(stream, &GET_MODEL, Some(&[0; 5])).await;
    }
    within_seconds(5, async {
        let request = GetModelRequest::default();
        while let Ok(_taken) = other.get_model(request.clone()).await {}
    })
    .await;

    let begun_at = Instant::now();
    let mut reset = BTreeSet::new();
    let (mut bytes, mut ended) = (0, false);
    while !ended {
        assert!(
            begun_at.elapsed() < Duration::from_secs(20),
            "{bytes} bytes came"
        );
        let step = if begun_at.elapsed() < 2 * PAUSE {
            32 << 10
        } else {
            1 << 20
        };
        raw.grant(MOVING, step).await;
        while let Ok(frame) = timeout(Duration::from_millis(100), raw.next()).await {
            let frame = frame.expect("the connection stays open");
            if frame.kind == RST_STREAM {
                reset.insert(frame.stream);
            } else if frame.kind == DATA && frame.stream == MOVING {
                bytes += frame.payload.len();
                ended = frame.flags & END_STREAM != 0;
            }
        }
    }
    assert_eq!(reset, BTreeSet::from(STALLED));
    assert_eq!(bytes, 1 << 20);
    let model = other.get_model(GetModelRequest::default()).await;
    assert_eq!(
        model.map(drop).map_err(|status| status.code()),
        Ok::<_, Code>(())
    );
}
