//! Requests without an end of their own, health watches and reflection streams: how many, and for how long.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, ServerReflectionResponse,
    server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest::{self, FileByFilename, ListServices},
};
use tonic_types::StatusExt;

use crate::{
    app::{App, within_seconds},
    protocol::{Http, frame, send},
    script::Script,
};

async fn app(options: &[&str]) -> App {
    App::with_stages(options, Script::default().stages()).await
}

async fn watch(channel: &Channel) -> Result<Streaming<HealthCheckResponse>, Status> {
    let all = HealthCheckRequest::default();
    let mut states = HealthClient::new(channel.clone())
        .watch(all)
        .await?
        .into_inner();
    states.message().await?;
    Ok(states)
}

type Questions = mpsc::Sender<ServerReflectionRequest>;

async fn reflect(
    channel: &Channel,
) -> Result<(Questions, Streaming<ServerReflectionResponse>), Status> {
    let (sender, receiver) = mpsc::channel(1);
    let mut client = ServerReflectionClient::new(channel.clone());
    let answers = client.server_reflection_info(ReceiverStream::new(receiver));
    Ok((sender, answers.await?.into_inner()))
}

fn list() -> ServerReflectionRequest {
    question(ListServices(String::new()))
}

fn question(question: MessageRequest) -> ServerReflectionRequest {
    ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    }
}

fn assert_exhausted(status: &Status) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
    assert!(status.message().contains("watches"), "{status:?}");
}

#[tokio::test]
async fn one_client_may_have_a_few_open() {
    let app = app(&["--watches-per-client-max", "3"]).await;
    let channel = app.channel().await;
    let mut states = vec![
        watch(&channel).await.unwrap(),
        watch(&channel).await.unwrap(),
    ];
    let (questions, mut answers) = reflect(&channel).await.unwrap();
    questions.send(list()).await.unwrap();
    answers.message().await.unwrap().unwrap();

    // However many connections the client has.
    let second = app.channel().await;
    assert_exhausted(&watch(&second).await.unwrap_err());
    assert_exhausted(&reflect(&second).await.unwrap_err());
    let mut health = HealthClient::new(second);
    let checked = health.check(HealthCheckRequest::default()).await;
    checked.expect("a single question is always answered");

    states.pop();
    within_seconds(5, async {
        while watch(&channel).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn half_of_the_connections_are_left_to_other_requests() {
    let app = app(&["--connections-max", "5"]).await;
    let first = app.channel().await;
    let second = app.channel().await;
    let _open = [watch(&first).await.unwrap(), watch(&second).await.unwrap()];
    assert_exhausted(&watch(&app.channel().await).await.unwrap_err());
}

#[tokio::test]
async fn they_end_when_they_are_old() {
    let app = app(&["--watch-age-max", "0.5", "--idle-timeout", "10"]).await;
    let channel = app.channel().await;
    let opened_at = Instant::now();
    let mut states = watch(&channel).await.unwrap();
    let (questions, mut answers) = reflect(&channel).await.unwrap();
    questions.send(list()).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let ends = [
        within_seconds(5, states.message()).await.unwrap_err(),
        within_seconds(5, answers.message()).await.unwrap_err(),
    ];
    let age = opened_at.elapsed();
    assert!(age > Duration::from_millis(450), "{age:?}");
    assert!(age < Duration::from_millis(2500), "{age:?}");
    for end in ends {
        assert_eq!(end.code(), Code::DeadlineExceeded, "{end:?}");
        assert!(end.message().contains("0.5 s"), "{end:?}");
        assert!(!end.message().contains("image"), "{end:?}");
    }
    watch(&channel).await.expect("it may be opened again");
}

#[tokio::test]
async fn a_reflection_stream_may_be_silent_for_as_long_as_others() {
    let app = app(&["--upload-timeout", "0.3", "--idle-timeout", "1.5"]).await;
    let channel = app.channel().await;
    let (questions, mut answers) = reflect(&channel).await.unwrap();
    for _ in 0..2 {
        sleep(Duration::from_millis(800)).await;
        questions.send(list()).await.unwrap();
        let answer = within_seconds(5, answers.message()).await;
        answer.unwrap().expect("the stream is still open");
    }
    let silent_since = Instant::now();
    let end = within_seconds(5, answers.message()).await.unwrap_err();
    let silent = silent_since.elapsed();
    assert!(silent > Duration::from_millis(1400), "{silent:?}");
    assert_eq!(end.code(), Code::DeadlineExceeded, "{end:?}");
    assert!(end.message().contains("nothing arrived"), "{end:?}");
    drop(questions);
}

#[tokio::test]
async fn they_do_not_hold_up_the_stop() {
    let app = app(&["--drain-timeout", "20"]).await;
    let channel = app.channel().await;
    let mut states = watch(&channel).await.unwrap();
    let (questions, mut answers) = reflect(&channel).await.unwrap();
    within_seconds(5, app.stop()).await.unwrap().unwrap();
    while let Ok(Some(_)) = states.message().await {}
    let end = answers.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    drop(questions);
}

/// The responses to a reflection stream of these frames in one packet, and its status.
async fn reflect_raw(app: &App, frames: &[&[u8]]) -> (Vec<ServerReflectionResponse>, Status) {
    let request = Request::post("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let sent = Bytes::from(frames.concat());
    let answer = within_seconds(5, send(app.address, Http::Two, request, sent)).await;
    let mut body = answer.body().clone();
    let mut responses = vec![];
    while !body.is_empty() {
        let prefix = body.split_to(5);
        let length = u32::from_be_bytes(prefix[1..].try_into().unwrap());
        let response = ServerReflectionResponse::decode(body.split_to(length as usize));
        responses.push(response.unwrap());
    }
    let status = Status::from_header_map(answer.headers()).unwrap();
    (responses, status)
}

#[tokio::test]
async fn a_malformed_reflection_request_is_an_error_after_the_responses_due() {
    let app = app(&[]).await;
    let valid = &*frame(&list());
    let cases: [(&str, &[u8], Code); 6] = [
        (
            "no message",
            &[0, 0, 0, 0, 2, 0xff, 0xff],
            Code::InvalidArgument,
        ),
        ("unknown flag", &[2, 0, 0, 0, 0], Code::InvalidArgument),
        ("too long", &[0, 0, 2, 0, 0], Code::InvalidArgument),
        ("compressed", &[1, 0, 0, 0, 1, 0], Code::Unimplemented),
        ("ends in a prefix", &[0, 0], Code::InvalidArgument),
        (
            "ends in a message",
            &[0, 0, 0, 0, 2, 0x3a],
            Code::InvalidArgument,
        ),
    ];
    for (name, malformed, code) in cases {
        let (responses, status) = reflect_raw(&app, &[valid, valid, malformed]).await;
        assert_eq!(status.code(), code, "{name}: {status:?}");
        assert!(
            status.get_details_error_info().is_some(),
            "{name}: {status:?}"
        );
        assert_eq!(responses.len(), 2, "{name}");
        if name.starts_with("ends") {
            continue;
        }
        let (responses, status) = reflect_raw(&app, &[malformed, valid]).await;
        assert_ne!(status.code(), Code::Ok, "{name} alone: {status:?}");
        assert!(responses.is_empty(), "{name} alone");
    }
    let (responses, status) = reflect_raw(&app, &[valid, valid]).await;
    assert_eq!(status.code(), Code::Ok, "{status:?}");
    assert_eq!(responses.len(), 2);
}

#[tokio::test]
async fn the_first_problem_of_a_reflection_stream_is_its_status() {
    let app = app(&[]).await;
    let unknown = frame(&question(FileByFilename("unknown.proto".to_owned())));
    let malformed = [0, 0, 0, 0, 2, 0xff, 0xff];
    let (_, status) = reflect_raw(&app, &[&unknown, &malformed]).await;
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    let (_, status) = reflect_raw(&app, &[&malformed, &unknown]).await;
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
}
