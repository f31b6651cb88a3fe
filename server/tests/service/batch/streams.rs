//! Images as a stream of messages.

use std::{iter, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyStreamResponse, classify_stream_response,
};
use prost::Message;
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Code, Streaming};
use tonic_types::StatusExt;

use super::{MIXED, client, image, mixed, reason};
use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Http, Protocol, classify, frame, send},
    script::{Script, order},
};

fn of_stream(answer: &ClassifyStreamResponse) -> String {
    match answer.outcome.as_ref().unwrap() {
        classify_stream_response::Outcome::Response(response) => response.label.clone(),
        classify_stream_response::Outcome::Error(error) => reason(error),
    }
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

/// The response to a stream of these bytes, which are its frames.
async fn send_frames(app: &App, frames: Vec<u8>) -> Response<Bytes> {
    let request = Request::post("/imageclassifier.ImageClassifier/ClassifyStream")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    send(app.address, Http::Two, request, frames.into()).await
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
    let stream = one.repeat(MESSAGES);
    let answer = send_frames(&app, stream).await;
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
    let answer = send_frames(&app, body).await;
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
    let answer = send_frames(&app, body).await;
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
