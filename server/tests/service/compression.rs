//! Compressed messages and bodies, in every protocol, within the limits of others.

use std::io::{Read, Write};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Buf, Bytes};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http::{Request, Response};
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyImageRequest, ClassifyStreamResponse, GetModelRequest,
    GetModelResponse, classify_stream_response::Outcome,
};
use prost::Message;
use ruzstd::{
    decoding::StreamingDecoder,
    encoding::{CompressionLevel, compress_to_vec},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    app::{App, photograph},
    plain,
    protocol::{Http, frame, send},
};

const ENCODINGS: [&str; 2] = ["gzip", "zstd"];
const CLASSIFY: &str = "/imageclassifier.ImageClassifier/Classify";

fn compress(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    if encoding == "zstd" {
        return compress_to_vec(bytes, CompressionLevel::Fastest);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn decompress(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut decompressed = Vec::new();
    let read = match encoding {
        "zstd" => StreamingDecoder::new(bytes)
            .unwrap()
            .read_to_end(&mut decompressed),
        _ => GzDecoder::new(bytes).read_to_end(&mut decompressed),
    };
    read.unwrap();
    decompressed
}

/// A message as gRPC frames it, compressed.
fn compressed_frame(encoding: &str, message: &impl Message) -> Vec<u8> {
    let message = compress(encoding, &message.encode_to_vec());
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[1], &length[..], &message].concat()
}

fn image(image_data: impl Into<Bytes>) -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data: image_data.into(),
        ..Default::default()
    }
}

async fn grpc(app: &App, path: &str, encoding: &str, body: Vec<u8>) -> Response<Bytes> {
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("grpc-encoding", encoding);
    send(app.address, Http::Two, request, body.into()).await
}

fn reason(response: &Response<Bytes>) -> (Code, String) {
    let status = Status::from_header_map(response.headers()).unwrap();
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map(|info| info.reason).unwrap_or_default(),
    )
}

#[tokio::test]
async fn compressed_images_are_classified_in_every_protocol() {
    let app = App::start().await;
    let photograph = photograph("coffee.png");
    for encoding in ENCODINGS {
        let body = compressed_frame(encoding, &image(photograph.clone()));
        for (version, content_type) in [
            (Http::Two, "application/grpc"),
            (Http::One, "application/grpc-web+proto"),
            (Http::Two, "application/grpc-web+proto"),
            (Http::One, "application/grpc-web-text"),
        ] {
            let request = Request::post(CLASSIFY)
                .header("content-type", content_type)
                .header("grpc-encoding", encoding);
            let body = match content_type {
                "application/grpc-web-text" => BASE64_STANDARD.encode(&body).into_bytes(),
                _ => body.clone(),
            };
            let response = send(app.address, version, request, body.into()).await;
            let text: Vec<u8> = match content_type {
                "application/grpc-web-text" => {
                    let fours = response.body().chunks(4);
                    fours
                        .flat_map(|four| BASE64_STANDARD.decode(four).unwrap())
                        .collect()
                }
                _ => response.body().to_vec(),
            };
            let found = text.windows(8).any(|bytes| bytes == b"espresso");
            assert!(found, "{encoding}, {content_type}: {response:?}");
        }
        let body = compress(encoding, &photograph);
        let request = Request::post("/v1/classify").header("content-encoding", encoding);
        let response = send(app.address, Http::One, request, body.into()).await;
        assert_eq!(
            plain::read(&response).unwrap().label,
            "espresso",
            "{encoding}"
        );
    }
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
}

#[tokio::test]
async fn decompressed_bytes_count_against_every_limit() {
    let zeros = vec![0; 64 << 20];
    let app = App::start().await;
    let small_options = [
        "--image-bytes-max",
        "1000000",
        "--upload-bytes-max",
        "1000000",
    ];
    let small = App::with(&small_options).await;
    for encoding in ENCODINGS {
        let bomb = compress(encoding, &zeros);
        let length = u32::try_from(bomb.len()).unwrap().to_be_bytes();
        let framed = [&[1], &length[..], &bomb].concat();
        let response = grpc(&app, CLASSIFY, encoding, framed).await;
        let expected = (Code::InvalidArgument, "IMAGE_TOO_LARGE".to_owned());
        assert_eq!(reason(&response), expected, "{encoding}");
        let request = Request::post("/v1/classify").header("content-encoding", encoding);
        let response = send(app.address, Http::One, request, bomb.into()).await;
        assert_eq!(response.status(), 413, "{encoding}");

        let body = compressed_frame(encoding, &image(vec![0; 1_500_000]));
        let response = grpc(&small, CLASSIFY, encoding, body).await;
        let expected = (Code::ResourceExhausted, "OVERLOADED".to_owned());
        assert_eq!(reason(&response), expected, "{encoding}");
    }
    for app in [app, small] {
        assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
    }
}

#[tokio::test]
async fn a_stream_gives_back_what_its_compressed_messages_held() {
    const MESSAGES: usize = 40;
    let options = [
        "--image-bytes-max",
        "1000000",
        "--upload-bytes-max",
        "8000000",
        "--queue-wait-max",
        "60",
    ];
    let app = App::with(&options).await;
    for encoding in ENCODINGS {
        let message = compressed_frame(encoding, &image(photograph("coffee.png")));
        let plain = frame(&image(photograph("coffee.png")));
        let body = [message, plain.to_vec()].concat().repeat(MESSAGES / 2);
        let path = "/imageclassifier.ImageClassifier/ClassifyStream";
        let response = grpc(&app, path, encoding, body).await;
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::Ok, "{encoding}: {status:?}");
        let mut answers = response.into_body();
        let mut labels = 0;
        while answers.has_remaining() {
            assert_eq!(answers.get_u8(), 0);
            let length = answers.get_u32() as usize;
            let answer = ClassifyStreamResponse::decode(answers.split_to(length)).unwrap();
            match answer.outcome.unwrap() {
                Outcome::Response(answer) => assert_eq!(answer.label, "espresso"),
                Outcome::Error(error) => panic!("{error:?}"),
            }
            labels += 1;
        }
        assert_eq!(labels, MESSAGES, "{encoding}");
        assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
    }
}

#[tokio::test]
async fn rejects_messages_that_cannot_be_decompressed() {
    let app = App::start().await;
    for encoding in ENCODINGS {
        let response = grpc(&app, CLASSIFY, encoding, b"\x01\0\0\0\x03\n\x01a".to_vec()).await;
        let expected = (Code::InvalidArgument, "MESSAGE_MALFORMED".to_owned());
        assert_eq!(reason(&response), expected, "{encoding}");
        let request = Request::post("/v1/classify").header("content-encoding", encoding);
        let response = send(app.address, Http::One, request, "no such thing".into()).await;
        assert_eq!(response.status(), 400, "{encoding}");
    }
}

#[tokio::test]
async fn long_responses_are_compressed_for_clients_that_ask() {
    let app = App::start().await;
    for encoding in ENCODINGS {
        let request = Request::post("/imageclassifier.ImageClassifier/GetModel")
            .header("content-type", "application/grpc")
            .header("grpc-accept-encoding", format!("identity, {encoding}"));
        let body = frame(&GetModelRequest::default());
        let response = send(app.address, Http::Two, request, body).await;
        assert_eq!(response.headers()["grpc-encoding"], encoding);
        let body = response.body();
        assert_eq!(body[0], 1, "{encoding}");
        let model = GetModelResponse::decode(&*decompress(encoding, &body[5..])).unwrap();
        assert_eq!(model.labels.len(), 1000);

        for (top_k, compressed) in [(1, false), (1000, true)] {
            let request = Request::post(format!("/v1/classify?top_k={top_k}"))
                .header("accept-encoding", format!("br, {encoding}"));
            let response = send(app.address, Http::One, request, photograph("coffee.png")).await;
            let named = response.headers().get("content-encoding").is_some();
            assert_eq!(named, compressed, "{encoding}, {top_k}");
            let body = match compressed {
                true => decompress(encoding, response.body()),
                false => response.body().to_vec(),
            };
            let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(answer["label"], "espresso");
        }
    }
}

#[tokio::test]
async fn rejects_batches_of_too_many_images() {
    let app = App::start().await;
    let requests = vec![ClassifyImageRequest::default(); 100_000];
    let batch = ClassifyBatchRequest { requests };
    for encoding in ENCODINGS {
        let request = Request::post("/imageclassifier.ImageClassifier/ClassifyBatch")
            .header("content-type", "application/grpc")
            .header("grpc-encoding", encoding);
        let body = compressed_frame(encoding, &batch);
        let response = send(app.address, Http::Two, request, body.into()).await;
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "BATCH_SIZE");
        assert_eq!(info.metadata["images"], "100000");
        assert_eq!(info.metadata["images_exact"], "true");
    }
}
