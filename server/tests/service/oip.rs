//! The Open Inference Protocol: the same results, limits and errors.

mod description;
mod invalid;
mod limits;
pub(crate) mod messages;
mod rest;

use std::{pin::pin, time::Duration};

use bytes::{Buf, Bytes};
use http::Request;
use imageclassifier_proto::{
    ClassifyImageRequest,
    inference::{ModelInferRequest, ModelInferResponse},
};
use prost::Message;
use tokio::{runtime::Builder, task::spawn_blocking, time::timeout};

use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Http, Protocol, classify, frame, send},
    script::{Script, order},
};
use messages::{
    ENCODED, PREPARED, SIZE, encoded, encoded_typed, floats, infer, output, planes, prepared,
    prepared_typed, reason, strings,
};

#[tokio::test]
async fn encoded_images_get_the_same_results_as_classify() {
    let app = App::start().await;
    let images = ["coffee.png", "rocket.jpg", "chelsea.png"].map(photograph);
    let mut labels = Vec::new();
    let mut probabilities = Vec::new();
    for image in &images {
        let (label, all) = classified(&app, image.clone()).await;
        labels.push(label);
        probabilities.extend(all);
    }
    for request in [encoded(&images), encoded_typed(&images)] {
        let raw = request.inputs[0].contents.is_none();
        let request = ModelInferRequest {
            id: "the-request".to_owned(),
            ..request
        };
        let answer = infer(&app, request).await.unwrap();
        assert_eq!((&*answer.model_name, &*answer.id), (ENCODED, "the-request"));
        let names: Vec<_> = answer.outputs.iter().map(|output| &*output.name).collect();
        assert_eq!(names, ["label", "probabilities", "logits"]);
        let shapes: Vec<_> = answer.outputs.iter().map(|output| &*output.shape).collect();
        assert_eq!(shapes, [&[3][..], &[3, 1000], &[3, 1000]]);
        assert_eq!(answer.raw_output_contents.len(), if raw { 3 } else { 0 });
        assert_eq!(strings(&answer, "label"), labels);
        assert_close(&floats(&answer, "probabilities"), &probabilities);
        let logits = floats(&answer, "logits");
        let espresso = logits[..1000].iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(espresso, logits[967]);
    }
}

#[tokio::test]
async fn prepared_images_get_the_same_results_as_encoded_ones() {
    let app = App::start().await;
    let names = ["coffee.png", "rocket.jpg"];
    let all = infer(&app, encoded(&names.map(photograph))).await.unwrap();
    let values = [planes(names[0]), planes(names[1])].concat();
    for mut request in [prepared(&values), prepared_typed(&values)] {
        let answer = infer(&app, request.clone()).await.unwrap();
        assert_eq!(answer.model_name, PREPARED);
        assert_eq!(answer.outputs.len(), 1);
        let expected = floats(&all, "probabilities");
        assert_close(&floats(&answer, "probabilities"), &expected);

        // Its other outputs are sent on request.
        request.outputs = vec![output("logits", None), output("label", None)];
        let answer = infer(&app, request).await.unwrap();
        let found: Vec<_> = answer.outputs.iter().map(|output| &*output.name).collect();
        assert_eq!(found, ["logits", "label"]);
        assert_eq!(strings(&answer, "label"), ["espresso", "missile"]);
        let (found, expected) = (floats(&answer, "logits"), floats(&all, "logits"));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{found} != {expected}");
        }
    }
}

#[tokio::test]
async fn the_highest_classes_come_as_triton_writes_them() {
    let app = App::start().await;
    let images = ["coffee.png", "rocket.jpg"].map(photograph);
    let (_, probabilities) = classified(&app, images[0].clone()).await;
    for mut request in [encoded(&images), encoded_typed(&images)] {
        request.outputs = vec![
            output("probabilities", Some(3)),
            output("logits", Some(1)),
            output("label", None),
        ];
        let answer = infer(&app, request).await.unwrap();
        assert_eq!(answer.outputs[0].shape, [2, 3]);
        assert_eq!(answer.outputs[1].shape, [2, 1]);
        let classes = strings(&answer, "probabilities");
        let expected = [(967, "espresso"), (968, "cup"), (925, "consomme")];
        for (class, (index, label)) in classes.iter().zip(expected) {
            let parts: Vec<_> = class.split(':').collect();
            assert_eq!(parts[1..], [&*index.to_string(), label]);
            let value: f32 = parts[0].parse().unwrap();
            assert!((value - probabilities[index]).abs() < 1e-5, "{class}");
        }
        assert!(classes[3].ends_with(":657:missile"), "{classes:?}");
        let logits = strings(&answer, "logits");
        let espresso = logits[0].strip_suffix(":967:espresso").unwrap();
        assert!(espresso.parse::<f32>().unwrap() > 1.0, "{logits:?}");
        assert_eq!(strings(&answer, "label"), ["espresso", "missile"]);
    }
}

#[tokio::test]
async fn classifies_a_full_batch() {
    let app = App::with(&["--batch-images-max", "9"]).await;
    let images = vec![photograph("coffee.png"); 9];
    let answer = infer(&app, encoded(&images)).await.unwrap();
    assert_eq!(strings(&answer, "label"), ["espresso"; 9]);
    let images = vec![photograph("coffee.png"); 10];
    let status = infer(&app, encoded(&images)).await.unwrap_err();
    assert_eq!(reason(&status), "BATCH_SIZE");
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
    assert!(app.metric("imageclassifier_calls_in_flight").await < 0.5);
}

/// Decoding a large message takes long, so it must not run on the threads that all connections share.
#[test]
fn large_tensors_are_decoded_off_the_runtime() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = App::with_stages(&[], Script::default().stages()).await;
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let blocking = spawn_blocking(move || blocked.recv());
        let tensor = prepared_typed(&vec![0.0; 8 * 3 * SIZE * SIZE]);
        let mut answer = pin!(infer(&app, tensor));
        let early = timeout(Duration::from_secs(2), &mut answer).await;
        assert!(early.is_err(), "decoded on a thread of the runtime");
        classify(app.address, Protocol::Grpc, order(""))
            .await
            .unwrap();
        release.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        let answer = within_seconds(5, answer).await.unwrap();
        assert_eq!(answer.outputs[0].shape, [8, 1000]);
    });
}

#[tokio::test]
async fn works_over_grpc_web() {
    let app = App::start().await;
    for version in [Http::One, Http::Two] {
        let request = Request::post("/inference.GRPCInferenceService/ModelInfer")
            .header("content-type", "application/grpc-web+proto");
        let body = frame(&encoded(&[photograph("coffee.png")]));
        let mut body = send(app.address, version, request, body).await.into_body();
        assert_eq!(body.get_u8(), 0, "a message");
        let length = body.get_u32() as usize;
        let answer = ModelInferResponse::decode(body.split_to(length)).unwrap();
        assert_eq!(strings(&answer, "label"), ["espresso"]);
    }
}

/// The result of Classify: the label, and the probabilities in order of class index.
async fn classified(app: &App, image: Bytes) -> (String, Vec<f32>) {
    let request = ClassifyImageRequest {
        image_data: image,
        top_k: 1000,
        ..Default::default()
    };
    let answer = classify(app.address, Protocol::Grpc, request)
        .await
        .unwrap();
    let mut probabilities = vec![0.0; 1000];
    for prediction in &answer.predictions {
        probabilities[prediction.index as usize] = prediction.confidence;
    }
    (answer.label, probabilities)
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        // However many threads compute it.
        assert!((found - expected).abs() < 1e-5, "{found} != {expected}");
    }
}
