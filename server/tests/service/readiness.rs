use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use crate::app::{App, within_seconds};

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn the_server_gets_ready_by_itself() {
    let app = App::start().await;
    let mut health = HealthClient::new(app.channel().await);
    for service in [
        "",
        "imageclassifier.ImageClassifier",
        "inference.GRPCInferenceService",
    ] {
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
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(app.channel().await);
    let stream = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let answer = stream.into_inner().message().await.unwrap().unwrap();
    let listed = format!("{answer:?}");
    for service in [
        "imageclassifier.ImageClassifier",
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
    ] {
        assert!(listed.contains(service), "{service} not in {listed}");
    }

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(app.channel().await);
    let stream = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let answer = stream.into_inner().message().await.unwrap().unwrap();
    assert!(format!("{answer:?}").contains("imageclassifier.ImageClassifier"));
}

/// Tools that print errors ask for the types of their details.
#[tokio::test]
async fn reflection_describes_what_errors_carry() {
    let app = App::start().await;
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(app.channel().await);
    for name in ["ErrorInfo", "BadRequest", "RetryInfo", "Status"] {
        let symbol = format!("google.rpc.{name}");
        let request = v1::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(
                v1::server_reflection_request::MessageRequest::FileContainingSymbol(symbol),
            ),
        };
        let stream = client
            .server_reflection_info(tokio_stream::once(request))
            .await;
        let answer = stream.unwrap().into_inner().message().await.unwrap();
        let answer = answer.and_then(|answer| answer.message_response);
        assert!(
            matches!(
                answer,
                Some(v1::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
            ),
            "{name}: {answer:?}"
        );
    }
}
