//! Several images in one request: as a batch in one message, as a stream of messages.

use std::{iter, time::Duration};

use bytes::Bytes;
use http::Request;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyStreamResponse,
    classify_batch_response, classify_stream_response,
    image_classifier_client::ImageClassifierClient,
};
use prost::Message;
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Code, Streaming};
use tonic_types::{StatusExt, pb};

use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Http, Protocol, classify, frame, send},
    script::{Script, order},
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

fn of_stream(answer: &ClassifyStreamResponse) -> String {
    match answer.outcome.as_ref().unwrap() {
        classify_stream_response::Outcome::Response(response) => response.label.clone(),
        classify_stream_response::Outcome::Error(error) => reason(error),
    }
}

async fn client(app: &App) -> ImageClassifierClient<tonic::transport::Channel> {
    ImageClassifierClient::new(app.channel().await)
}

/// A stream that is sent to from here.
async fn open(
    app: &App,
) -> (
    mpsc::Sender<ClassifyImageRequest>,
    Streaming<ClassifyStreamResponse>,
) {
    let (sender, receiver) = mpsc::channel(1);
    let messages = ReceiverStream::new(receiver);
    let answers = client(app).await.classify_stream(messages).await.unwrap();
    (sender, answers.into_inner())
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
async fn a_stream_responds_to_each_message_and_ends_after_the_last() {
    let app = App::start().await;
    let (sender, mut answers) = open(&app).await;
    for (index, (request, expected)) in iter::zip(mixed(), MIXED).enumerate() {
        let id = request.id.clone();
        sender.send(request).await.unwrap();
        // One by one: the answer does not wait for further messages.
        let answer = answers.next().await.unwrap().unwrap();
        assert_eq!((answer.index, &answer.id), (index as u64, &id));
        assert_eq!(of_stream(&answer), expected);
    }
    for request in mixed() {
        sender.send(request).await.unwrap();
    }
    drop(sender);
    let rest: Vec<_> = answers.map(Result::unwrap).collect().await;
    let mut indices: Vec<_> = rest.iter().map(|answer| answer.index).collect();
    indices.sort_unstable();
    assert_eq!(indices, [5, 6, 7, 8, 9]);
    assert_eq!(
        app.metric("imageclassifier_upload_in_flight_bytes").await,
        0.0
    );
}

#[tokio::test]
async fn what_a_message_held_is_given_back_however_it_was_written() {
    // Two and a half times what may be held at once.
    const MESSAGES: usize = 400;
    let script = Script::default();
    let app = App::with_stages(&["--upload-bytes-max", "10485760"], script.stages()).await;
    let mut message = order("").encode_to_vec();
    message.extend([0xfa, 0x3f, 0x80, 0x80, 0x04]); // field 1023, unknown, 64 KiB long
    message.resize(message.len() + (64 << 10), 0);
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let one = [&[0][..], &length, &message].concat();
    let request = Request::post("/imageclassifier.ImageClassifier/ClassifyStream")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let stream = one.repeat(MESSAGES);
    let answer = send(app.address, Http::Two, request, stream.into()).await;
    let status = tonic::Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(status.code(), Code::Ok, "{status:?}");
    assert_eq!(
        script.inferences(),
        1 + MESSAGES,
        "the warm-up's and all of the stream"
    );
}

#[tokio::test]
async fn results_arrive_as_they_are_ready() {
    let script = Script::default();
    let app = App::with_stages(&[], script.stages()).await;
    let (sender, mut answers) = open(&app).await;
    for (id, work) in [("slow", "sleep 500"), ("fast", "")] {
        let request = ClassifyImageRequest {
            id: id.to_owned(),
            ..order(work)
        };
        sender.send(request).await.unwrap();
    }
    let first = answers.next().await.unwrap().unwrap();
    let second = answers.next().await.unwrap().unwrap();
    assert_eq!([first.id, second.id], ["fast", "slow"]);
}

#[tokio::test]
async fn a_stream_slows_clients_that_send_faster_than_it_responds() {
    let script = Script::default();
    let app = App::with_stages(&["--queue-wait-max", "60"], script.stages()).await;
    let (sender, mut answers) = open(&app).await;
    let image = order("sleep 50");
    // Padding that makes a message larger than what a connection may send ahead.
    let padded = ClassifyImageRequest {
        model: String::new(),
        image_data: image.image_data.clone(),
        id: "x".repeat(200),
        ..Default::default()
    };
    let sending = tokio::spawn(async move {
        for _ in 0..200 {
            sender.send(padded.clone()).await.unwrap();
        }
    });
    let mut answered = 0;
    while let Some(answer) = within_seconds(30, answers.next()).await {
        answer.unwrap();
        answered += 1;
        if answered % 50 == 0 {
            let cores = std::thread::available_parallelism().unwrap().get();
            let bytes = app.metric("imageclassifier_upload_in_flight_bytes").await;
            // Those at work, and one message decoded ahead.
            let at_once = (cores * 4 + 1) as f64;
            assert!(bytes <= (at_once + 1.0) * 65_536.0, "{bytes}");
        }
    }
    sending.await.unwrap();
    assert_eq!(answered, 200);
}

#[tokio::test]
async fn a_malformed_message_ends_the_stream_after_the_responses_due() {
    let script = Script::default();
    let app = App::with_stages(&[], script.stages()).await;
    let mut body = Vec::from(frame(&order("sleep 200")));
    body.extend(frame(&order("")));
    body.extend([0, 0, 0, 0, 2, 0xff, 0xff]); // framed, but no message
    let request = Request::post("/imageclassifier.ImageClassifier/ClassifyStream")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let answer = send(app.address, Http::Two, request, body.into()).await;
    let status = tonic::Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "MESSAGE_MALFORMED");
    assert_eq!(script.inferences(), 3, "the warm-up's and both images");
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_stream_after_the_responses_due() {
    let script = Script::default();
    let app = App::with_stages(&["--image-bytes-max", "1000"], script.stages()).await;
    let mut body = Vec::from(frame(&order("")));
    body.extend([0, 0xff, 0xff, 0xff, 0xff]);
    let request = Request::post("/imageclassifier.ImageClassifier/ClassifyStream")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let answer = send(app.address, Http::Two, request, body.into()).await;
    let status = tonic::Status::from_header_map(answer.headers()).unwrap();
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "IMAGE_TOO_LARGE");
    assert_eq!(script.inferences(), 2, "the warm-up's and the first image");
    assert!(!answer.body().is_empty(), "the first image is answered");
    within_seconds(5, async {
        while app.metric("imageclassifier_upload_in_flight_bytes").await != 0.0 {}
    })
    .await;
}

#[tokio::test]
async fn ids_have_an_end() {
    let app = App::start().await;
    let (sender, mut answers) = open(&app).await;
    let long = "i".repeat(257);
    sender
        .send(image(&long, photograph("rocket.jpg")))
        .await
        .unwrap();
    let answer = answers.next().await.unwrap().unwrap();
    assert_eq!(of_stream(&answer), "ID_TOO_LONG");
}

#[tokio::test]
async fn each_image_of_a_stream_has_its_own_deadline_and_the_stream_the_clients() {
    let script = Script::default();
    let app = App::with_stages(&["--deadline", "0.3"], script.stages()).await;
    let (sender, mut answers) = open(&app).await;
    sender.send(order("sleep 900")).await.unwrap();
    let answer = within_seconds(5, answers.next()).await.unwrap().unwrap();
    assert_eq!(of_stream(&answer), "DEADLINE_EXCEEDED");
    sleep(Duration::from_millis(700)).await;
    sender.send(order("")).await.unwrap();
    let answer = within_seconds(5, answers.next()).await.unwrap().unwrap();
    assert_ne!(
        of_stream(&answer),
        "DEADLINE_EXCEEDED",
        "longer than one image may take"
    );

    let (sender, receiver) = mpsc::channel::<ClassifyImageRequest>(1);
    let mut request = tonic::Request::new(ReceiverStream::new(receiver));
    request
        .metadata_mut()
        .insert("grpc-timeout", "300m".parse().unwrap());
    let answers = client(&app).await.classify_stream(request).await.unwrap();
    let end = within_seconds(5, answers.into_inner().next())
        .await
        .unwrap();
    assert_eq!(end.unwrap_err().code(), Code::DeadlineExceeded);
    drop(sender);
}

#[tokio::test]
async fn open_streams_are_bounded_and_leave_room_for_requests() {
    let app = App::with(&["--open-streams-max", "2"]).await;
    let first = open(&app).await;
    let _second = open(&app).await;
    let rejected = client(&app)
        .await
        .classify_stream(tokio_stream::pending())
        .await
        .unwrap_err();
    assert_eq!(rejected.code(), Code::ResourceExhausted);
    assert!(rejected.get_details_retry_info().is_some());
    classify(
        app.address,
        Protocol::Grpc,
        image("", photograph("rocket.jpg")),
    )
    .await
    .unwrap();
    drop(first);
    within_seconds(5, async {
        while app.metric("imageclassifier_calls_in_flight").await > 1.0 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    open(&app).await;
}

#[tokio::test]
async fn a_silent_stream_is_ended() {
    let app = App::with(&["--idle-timeout", "0.4"]).await;
    let (sender, mut answers) = open(&app).await;
    sender
        .send(image("", photograph("rocket.jpg")))
        .await
        .unwrap();
    answers.next().await.unwrap().unwrap();
    let end = within_seconds(5, answers.next()).await.unwrap();
    assert_eq!(end.unwrap_err().code(), Code::DeadlineExceeded);
    drop(sender);
}

#[tokio::test]
async fn a_stopping_server_finishes_its_images_and_ends_its_streams() {
    let script = Script::default();
    let app = App::with_stages(&["--drain-timeout", "20"], script.stages()).await;
    let (sender, mut answers) = open(&app).await;
    sender.send(order("sleep 500")).await.unwrap();
    within_seconds(5, async {
        while script.decodes() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let stopping = app.stop();
    let answer = within_seconds(5, answers.next()).await.unwrap();
    of_stream(&answer.unwrap());
    let end = within_seconds(5, answers.next()).await.unwrap();
    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    drop(sender);
    within_seconds(10, stopping).await.unwrap().unwrap();
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
