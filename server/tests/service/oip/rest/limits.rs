//! Sizes, compression and faults.

use flate2::{Compression, write::GzEncoder};
use tonic::Code;

use super::{JSON_LENGTH, body, error, infer_over_http, post};
use crate::{
    app::{App, within_seconds},
    oip::messages::{encoded, encoded_typed, reason},
    protocol::{Protocol, call},
    script::{Script, order},
};

#[tokio::test]
async fn bodies_may_be_compressed() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    let (path, json_bytes, body) = body::write(&encoded(&[order("").image_data]));
    let json_bytes = json_bytes.unwrap().to_string();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, &body).unwrap();
    let compressed = encoder.finish().unwrap();
    let headers = [(JSON_LENGTH, &*json_bytes), ("content-encoding", "gzip")];
    let response = post(&app, &path, &headers, compressed.clone()).await;
    assert_eq!(body::read(&response).outputs.len(), 3);
    let headers = [(JSON_LENGTH, &*json_bytes), ("content-encoding", "deflate")];
    let status = error(&post(&app, &path, &headers, compressed).await);
    assert_eq!(reason(&status), "MESSAGE_COMPRESSED");
}

#[tokio::test]
async fn the_largest_image_is_taken_in_either_form() {
    let options = [
        "--image-bytes-max",
        "200000",
        "--upload-bytes-max",
        "400000",
    ];
    let app = App::with_stages(&options, Script::default().stages()).await;
    for (bytes, fits) in [(200_000, true), (200_001, false), (450_000, false)] {
        let mut image = order("").image_data.to_vec();
        image.resize(bytes, b' ');
        for request in [
            encoded(&[image.clone().into()]),
            encoded_typed(&[image.into()]),
        ] {
            match infer_over_http(&app, &request).await {
                Ok(_) => assert!(fits, "{bytes}"),
                Err(status) => {
                    assert!(!fits, "{bytes}: {status:?}");
                    assert_eq!(reason(&status), "IMAGE_TOO_LARGE");
                }
            }
        }
    }
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
}

#[tokio::test]
async fn limits_and_faults_apply_as_to_every_request() {
    let script = Script::default();
    let options = ["--calls-max", "1", "--rate-limit", "4"];
    let app = App::with_stages(&options, script.stages()).await;
    let (path, json_bytes, body) = body::write(&encoded(&[order("sleep 700").image_data]));
    let json_bytes = json_bytes.unwrap().to_string();
    let headers = [(JSON_LENGTH, &*json_bytes), ("grpc-timeout", "300m")];
    let status = error(&post(&app, &path, &headers, body).await);
    assert_eq!(status.code(), Code::DeadlineExceeded);

    let images = vec![order("").image_data; 5];
    let status = infer_over_http(&app, &encoded(&images)).await.unwrap_err();
    assert_eq!(reason(&status), "RATE_LIMITED");

    let app = App::with_stages(&options[..2], script.stages()).await;
    let broken = encoded(&[order("panic in decode").image_data]);
    let status = infer_over_http(&app, &broken).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let before = script.decodes();
    let address = app.address;
    let busy =
        tokio::spawn(async move { call(address, Protocol::Grpc, &order("sleep 1000"), &[]).await });
    within_seconds(10, async {
        while script.decodes() == before {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    })
    .await;
    let request = encoded(&[order("").image_data]);
    let status = infer_over_http(&app, &request).await.unwrap_err();
    assert_eq!(reason(&status), "OVERLOADED");
    busy.await.unwrap().outcome.unwrap();
    infer_over_http(&app, &request).await.unwrap();
    let series = "imageclassifier_calls_total{method=\"ModelInfer\",protocol=\"http\",code=\"OK\"}";
    assert!((app.metric(series).await - 1.0).abs() < 0.5);
}
