use std::time::Duration;

use http::Request;
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyImageRequest, image_classifier_client::ImageClassifierClient,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    app::{App, photograph, within_seconds},
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
        "imageclassifier_queue_length 0",
        "imageclassifier_queue_wait_seconds 0.0",
        "imageclassifier_workers_busy 0",
        "imageclassifier_connections_aged_total 0",
        "imageclassifier_connections_cut_off_total 0",
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
async fn gauges_show_the_load() {
    let script = Script::default();
    let app = App::with_stages(&["--queue-wait-max", "60"], script.stages()).await;
    let workers = std::thread::available_parallelism().unwrap().get();
    let work = || tokio::spawn(classify(app.address, Protocol::Grpc, order("sleep 900")));
    let working: Vec<_> = (0..workers).map(|_| work()).collect();
    within_seconds(5, async {
        while script.decodes() < 1 + workers {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let queued = [work(), work(), work()];
    within_seconds(5, async {
        while app.metric("imageclassifier_queue_length").await < 2.5 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let busy = app.metric("imageclassifier_workers_busy").await;
    assert!((busy - workers as f64).abs() < 0.5, "{busy}");
    assert!(app.metric("imageclassifier_queue_wait_seconds").await > 0.0);
    for request in working.into_iter().chain(queued) {
        request.await.unwrap().unwrap();
    }
    for idle in ["queue_length", "queue_wait_seconds", "workers_busy"] {
        let value = app.metric(&format!("imageclassifier_{idle}")).await;
        assert!(value.abs() < 1e-9, "{idle} {value}");
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
async fn clients_that_leave_are_counted_as_cancelled() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let waits = Duration::from_millis(200);
    let mut client = ImageClassifierClient::new(app.channel().await);
    let left = timeout(waits, client.classify(order("sleep 1000"))).await;
    assert!(left.is_err(), "answered");
    for (path, content_type) in [
        ("/v1/classify", "image/jpeg"),
        (
            "/imageclassifier.ImageClassifier/Classify",
            "application/grpc-web+proto",
        ),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\ncontent-length: 1000\r\n\r\n"
        );
        let mut socket = TcpStream::connect(app.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        // The beginning of a gRPC message of 995 bytes.
        socket.write_all(b"\0\0\0\x03\xe3begun").await.unwrap();
        sleep(waits).await;
    }
    for protocol in ["grpc", "grpc-web", "http"] {
        let labels = format!("method=\"Classify\",protocol=\"{protocol}\",code=\"CANCELLED\"");
        let series = format!("imageclassifier_calls_total{{{labels}}} 1");
        within_seconds(10, async {
            while !app.metrics().await.contains(&series) {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
    let refusals = "imageclassifier_refusals_total{reason=\"MESSAGE_MALFORMED\"} 0";
    assert!(app.metrics().await.contains(refusals));
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
