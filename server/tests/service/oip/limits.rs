//! Deadlines, limits and access tokens apply as to every other request.

use std::{fs, time::Duration};

use http::Request;
use imageclassifier_proto::inference::{
    ModelConfigRequest, ModelInferRequest, ModelMetadataRequest, ModelReadyRequest,
    ServerLiveRequest, ServerMetadataRequest, ServerReadyRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::messages::{client, encoded, infer, reason};
use crate::{
    app::{App, within_seconds},
    protocol::{Http, Protocol, classify, frame, send},
    script::{Script, order},
};

fn scripted(text: &str) -> ModelInferRequest {
    encoded(&[order(text).image_data])
}

#[tokio::test]
async fn deadlines_limits_and_faults_apply_as_to_every_request() {
    let script = Script::default();
    let app = App::with_stages(&["--calls-max", "1"], script.stages()).await;
    // tonic's client would keep the deadline itself.
    let late = Request::post("/inference.GRPCInferenceService/ModelInfer")
        .header("content-type", "application/grpc")
        .header("grpc-timeout", "300m");
    let answer = send(app.address, Http::Two, late, frame(&scripted("sleep 700"))).await;
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    let client = client(&app).await;

    let status = infer(&app, scripted("panic in decode")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("secretly"));

    let before = script.decodes();
    let mut busy = client.clone();
    let busy = tokio::spawn(async move { busy.model_infer(scripted("sleep 1000")).await });
    within_seconds(10, async {
        while script.decodes() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(app.metric("imageclassifier_calls_in_flight").await > 0.5);
    let rejected = classify(app.address, Protocol::Grpc, order(""))
        .await
        .unwrap_err();
    assert_eq!(reason(&rejected), "OVERLOADED");
    let rejected = infer(&app, scripted("")).await.unwrap_err();
    assert_eq!(reason(&rejected), "OVERLOADED");
    assert!(rejected.get_details_retry_info().is_some());
    busy.await.unwrap().unwrap();

    let text = app.metrics().await;
    for series in [
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"OK\"} 1",
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"DEADLINE_EXCEEDED\"} 1",
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"INTERNAL\"} 1",
        "calls_total{method=\"ModelInfer\",protocol=\"grpc\",code=\"RESOURCE_EXHAUSTED\"} 1",
    ] {
        let line = format!("\nimageclassifier_{series}\n");
        assert!(text.contains(&line), "no {series} in:\n{text}");
    }
}

#[tokio::test]
async fn each_image_counts_against_the_rate_limit() {
    let app = App::with_stages(&["--rate-limit", "4"], Script::default().stages()).await;
    let images = vec![order("").image_data; 3];
    infer(&app, encoded(&images)).await.unwrap();
    let status = infer(&app, encoded(&images)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "RATE_LIMITED");
    assert!(status.get_details_retry_info().is_some());
}

#[tokio::test]
async fn probes_need_no_token_and_everything_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    // `printf %s secret | sha256sum`
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    fs::write(&file, format!("page {digest}\n")).unwrap();
    let options = ["--token-file", file.to_str().unwrap()];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut client = client(&app).await;
    client.server_live(ServerLiveRequest {}).await.unwrap();
    client.server_ready(ServerReadyRequest {}).await.unwrap();
    client
        .model_ready(ModelReadyRequest::default())
        .await
        .unwrap();
    for status in [
        client
            .server_metadata(ServerMetadataRequest {})
            .await
            .unwrap_err(),
        client
            .model_metadata(ModelMetadataRequest::default())
            .await
            .unwrap_err(),
        client
            .model_config(ModelConfigRequest::default())
            .await
            .unwrap_err(),
        client.model_infer(scripted("")).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    let mut request = tonic::Request::new(scripted(""));
    let token = "Bearer secret".parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    client.model_infer(request).await.unwrap();
}
