use std::time::Duration;

use imageclassifier_proto::ClassifyImageRequest;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Protocol, classify},
};

async fn channel(app: &App) -> Channel {
    Endpoint::from_shared(app.url())
        .unwrap()
        .connect()
        .await
        .unwrap()
}

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn the_server_gets_ready_by_itself() {
    let app = App::start().await;
    let mut health = HealthClient::new(channel(&app).await);
    for service in ["", "imageclassifier.ImageClassifier"] {
        let mut states = health.watch(about(service)).await.unwrap().into_inner();
        within_seconds(20, async {
            loop {
                let state = states.message().await.unwrap().unwrap();
                if state.status() == ServingStatus::Serving {
                    break;
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn both_versions_of_reflection_list_the_services() {
    let app = App::start().await;
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel(&app).await);
    let stream = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let answer = stream.into_inner().message().await.unwrap().unwrap();
    let listed = format!("{answer:?}");
    for service in ["imageclassifier.ImageClassifier", "grpc.health.v1.Health"] {
        assert!(listed.contains(service), "{service} not in {listed}");
    }

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(channel(&app).await);
    let stream = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let answer = stream.into_inner().message().await.unwrap().unwrap();
    assert!(format!("{answer:?}").contains("imageclassifier.ImageClassifier"));
}

#[tokio::test]
async fn calls_in_progress_are_finished_before_the_server_stops() {
    let app = App::start().await;
    let address = app.address;
    let request = ClassifyImageRequest {
        image_data: photograph("coffee.png"),
        ..Default::default()
    };
    let call = tokio::spawn(classify(address, Protocol::Grpc, request));
    tokio::time::sleep(Duration::from_millis(30)).await;
    let stopping = app.stop();
    assert_eq!(call.await.unwrap().unwrap().label, "espresso");
    within_seconds(10, stopping).await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn someone_watching_health_cannot_hold_up_the_stop() {
    let app = App::with(&["--drain-timeout", "0.5"]).await;
    let mut health = HealthClient::new(channel(&app).await);
    let mut states = health.watch(about("")).await.unwrap().into_inner();
    states.message().await.unwrap().unwrap();
    within_seconds(10, app.stop()).await.unwrap().unwrap();
}
