//! Requests without an end of their own, health watches and reflection streams: how many, and for how long.

use std::time::Duration;

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
    server_reflection_request::MessageRequest::ListServices,
};
use tonic_types::StatusExt;

use crate::{
    app::{App, within_seconds},
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
    ServerReflectionRequest {
        host: String::new(),
        message_request: Some(ListServices(String::new())),
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
