use http::Request;
use imageclassifier_proto::{ClassifyBatchRequest, ClassifyImageRequest};

use crate::{
    app::{App, photograph},
    protocol::{Http, Protocol, classify, frame, send},
    script::{Script, order},
};

#[tokio::test]
async fn every_series_is_there_from_the_first_scrape() {
    let app = App::start().await;
    let text = app.metrics().await;
    for series in [
        "imageclassifier_calls_total{method=\"Classify\",protocol=\"grpc-web\",code=\"OK\"} 0",
        "imageclassifier_refusals_total{reason=\"OVERLOADED\"} 0",
        "imageclassifier_refusals_total{reason=\"RATE_LIMITED\"} 0",
        "imageclassifier_abandoned_total{why=\"expired\"} 0",
        "imageclassifier_stage_seconds_count{stage=\"upload\"} 0",
        "imageclassifier_stage_seconds_count{stage=\"total\"} 0",
        "imageclassifier_calls_in_flight 0",
        "imageclassifier_upload_in_flight_bytes 0",
        "imageclassifier_panics_total 0",
        "imageclassifier_worker_restarts_total 0",
        "imageclassifier_build_info{",
    ] {
        assert!(
            text.contains(&format!("\n{series}")),
            "no {series} in:\n{text}"
        );
    }
}

#[tokio::test]
async fn requests_are_counted_by_protocol_and_code() {
    let app = App::start().await;
    for protocol in Protocol::ALL {
        for image_data in [photograph("coffee.png"), "not an image".into()] {
            let request = ClassifyImageRequest {
                image_data,
                ..Default::default()
            };
            let _ = classify(app.address, protocol, request).await;
        }
    }
    let text = app.metrics().await;
    for series in [
        "calls_total{method=\"Classify\",protocol=\"grpc\",code=\"OK\"} 1",
        "calls_total{method=\"Classify\",protocol=\"grpc-web\",code=\"OK\"} 2",
        "calls_total{method=\"Classify\",protocol=\"grpc-web-text\",code=\"OK\"} 1",
        "calls_total{method=\"Classify\",protocol=\"http\",code=\"OK\"} 2",
        "calls_total{method=\"Classify\",protocol=\"grpc\",code=\"INVALID_ARGUMENT\"} 1",
        "calls_total{method=\"Classify\",protocol=\"http\",code=\"INVALID_ARGUMENT\"} 2",
        "refusals_total{reason=\"IMAGE_FORMAT_UNKNOWN\"} 6",
        "stage_seconds_count{stage=\"total\"} 6",
        "stage_seconds_count{stage=\"upload\"} 12",
        "calls_in_flight 0",
        "upload_in_flight_bytes 0",
    ] {
        assert!(
            text.contains(&format!("\nimageclassifier_{series}")),
            "no {series} in:\n{text}"
        );
    }
}

#[tokio::test]
async fn errors_in_trailers_are_counted_as_such() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let batch = ClassifyBatchRequest {
        requests: vec![order(""), order("")],
    };
    let malformed = [&frame(&order(""))[..], b"\0\0\0\0\x02\xff\xff"].concat();
    for (method, body, status) in [
        ("ClassifyBatch", frame(&batch), "0"),
        ("ClassifyStream", malformed.into(), "3"),
    ] {
        let request = Request::post(format!("/imageclassifier.ImageClassifier/{method}"))
            .header("content-type", "application/grpc");
        let answer = send(app.address, Http::Two, request, body).await;
        assert_eq!(answer.headers()["grpc-status"], status, "{method}");
    }
    let text = app.metrics().await;
    for (method, code, count) in [
        ("ClassifyBatch", "OK", 1),
        ("ClassifyStream", "INVALID_ARGUMENT", 1),
    ] {
        let labels = format!("method=\"{method}\",protocol=\"grpc\",code=\"{code}\"");
        let series = format!("imageclassifier_calls_total{{{labels}}} {count}");
        assert!(text.contains(&series), "no {series} in:\n{text}");
    }
    assert!(!text.contains("method=\"ClassifyStream\",protocol=\"grpc\",code=\"OK\""));
}
