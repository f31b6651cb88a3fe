//! Several images in one request: as a batch in one message; as a stream of messages in `streams`.

mod streams;

use bytes::Bytes;
use http::Request;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, classify_batch_response,
    image_classifier_client::ImageClassifierClient,
};
use prost::Message;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_types::{StatusExt, pb};

use crate::{
    app::{App, photograph},
    protocol::{Http, frame, send},
};

fn image(id: &str, image_data: Bytes) -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data,
        id: id.to_owned(),
        top_k: 1,
        ..Default::default()
    }
}

fn mixed() -> Vec<ClassifyImageRequest> {
    vec![
        image("coffee", photograph("coffee.png")),
        image("text", "not an image".into()),
        image("rocket", photograph("rocket.jpg")),
        image("nothing", Bytes::new()),
        image("coffee", photograph("coffee.png")),
    ]
}

/// The outcomes of the mixed images, by index: a label or the reason.
const MIXED: [&str; 5] = [
    "espresso",
    "IMAGE_FORMAT_UNKNOWN",
    "missile",
    "IMAGE_EMPTY",
    "espresso",
];

fn reason(error: &pb::Status) -> String {
    let status = tonic::Status::with_details(
        error.code.into(),
        &error.message,
        error.encode_to_vec().into(),
    );
    assert!(!error.message.is_empty());
    status.get_details_error_info().unwrap().reason
}

fn of_batch(answer: &ClassifyBatchResponse) -> String {
    match answer.outcome.as_ref().unwrap() {
        classify_batch_response::Outcome::Response(response) => response.label.clone(),
        classify_batch_response::Outcome::Error(error) => reason(error),
    }
}

async fn client(app: &App) -> ImageClassifierClient<tonic::transport::Channel> {
    ImageClassifierClient::new(app.channel().await)
}

#[tokio::test]
async fn each_image_of_a_batch_has_its_own_result() {
    let app = App::start().await;
    let requests = mixed();
    let ids: Vec<_> = requests.iter().map(|request| request.id.clone()).collect();
    let batch = ClassifyBatchRequest { requests };
    let answers = client(&app).await.classify_batch(batch).await.unwrap();
    let mut answers: Vec<_> = answers.into_inner().map(Result::unwrap).collect().await;
    answers.sort_by_key(|answer| answer.index);
    assert_eq!(answers.iter().map(of_batch).collect::<Vec<_>>(), MIXED);
    assert!(answers.iter().map(|answer| &answer.id).eq(&ids));
}

#[tokio::test]
async fn batches_work_over_grpc_web() {
    let app = App::start().await;
    let batch = ClassifyBatchRequest { requests: mixed() };
    for http in [Http::One, Http::Two] {
        let request = Request::post("/imageclassifier.ImageClassifier/ClassifyBatch")
            .header("content-type", "application/grpc-web+proto");
        let answer = send(app.address, http, request, frame(&batch)).await;
        let mut body = answer.into_body();
        let mut answers = Vec::new();
        while body[0] == 0 {
            let length = u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize;
            let message = body.split_to(5 + length).slice(5..);
            answers.push(ClassifyBatchResponse::decode(message).unwrap());
        }
        let trailers = String::from_utf8(body.slice(5..).into()).unwrap();
        assert!(trailers.contains("grpc-status:0"), "{trailers}");
        answers.sort_by_key(|answer| answer.index);
        assert_eq!(answers.iter().map(of_batch).collect::<Vec<_>>(), MIXED);
    }
}

#[tokio::test]
async fn rejects_empty_and_oversized_batches() {
    let app = App::with(&["--batch-images-max", "3"]).await;
    for (images, code) in [
        (0, Code::InvalidArgument),
        (3, Code::Ok),
        (4, Code::InvalidArgument),
    ] {
        let requests = vec![image("", photograph("rocket.jpg")); images];
        let batch = ClassifyBatchRequest { requests };
        let outcome = client(&app).await.classify_batch(batch).await;
        let found = outcome.as_ref().err().map_or(Code::Ok, |status| {
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "BATCH_SIZE");
            assert_eq!(info.metadata["images_max"], "3");
            let counted = (&*info.metadata["images"], &*info.metadata["images_exact"]);
            match images {
                0 => assert_eq!(counted, ("0", "true")),
                // Rejected while it arrives: there might be more.
                _ => {
                    assert_eq!(counted, ("4", "false"));
                    let message = status.message();
                    assert!(message.contains("at least 4 images"), "{message}");
                }
            }
            status.code()
        });
        assert_eq!(found, code, "{images}");
    }
}

#[tokio::test]
async fn each_image_counts_against_the_rate_limit() {
    let app = App::with(&["--rate-limit", "2"]).await;
    let requests = vec![image("", photograph("rocket.jpg")); 5];
    let batch = ClassifyBatchRequest { requests };
    let answers = client(&app).await.classify_batch(batch).await.unwrap();
    let answers: Vec<_> = answers.into_inner().map(Result::unwrap).collect().await;
    let limited = answers.iter().map(of_batch);
    let limited = limited.filter(|outcome| outcome == "RATE_LIMITED").count();
    assert_eq!((answers.len(), limited), (5, 3));
}
