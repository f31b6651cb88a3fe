//! Heads on imported networks.

use std::fs;

use bytes::Bytes;
use imageclassifier_client::{ClassifyOptions, ModelState};
use imageclassifier_model::{
    Activation, Classifier, Compute, Framing, Head, HeadParts, ImportedModel, ImportedNetwork,
};
use imageclassifier_proto::ClassifyImageRequest;
use serde_json::json;

use super::{
    fixture::{Dir, client, summary},
    imported::{infer, model, notices},
};
use crate::{
    app::{App, photograph},
    protocol::{Protocol, classify},
};

const CLASSES: [&str; 2] = ["coffee", "rocket"];

/// A model whose classes are two photographs: their features are the whole class.
fn trained(name: &str) -> ImportedModel {
    let base = model("base", "inverted_residual", Framing::ResizeThenCrop(0.9));
    let unit = |file: &str| {
        let embedding = infer(&base, &photograph(file)).embedding;
        let values = embedding.values();
        let length = values.iter().map(|it| it * it).sum::<f32>().sqrt();
        values.iter().map(|it| it / length).collect::<Vec<_>>()
    };
    let means = [unit("coffee.png"), unit("rocket.jpg")].concat();
    let channels = means.len() / CLASSES.len();
    let parts = HeadParts {
        labels: CLASSES.map(str::to_owned).to_vec(),
        activation: Activation::Softmax,
        weight: means.clone(),
        bias: vec![0.0; CLASSES.len()],
        class_means: means,
        temperature: 0.01,
        known_threshold: Some(0.999),
    };
    let head = Head::new(parts, channels).unwrap();
    base.with_head(name, head, json!({"images": 2})).unwrap()
}

fn request(image: &Bytes, model: &str) -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data: image.clone(),
        model: model.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn answers_as_the_model_does_without_a_server() {
    let dir = Dir::new().await;
    let trained = trained("things");
    trained.write(&dir.path("things")).unwrap();
    let app = App::with(&dir.options()).await;
    let network = ImportedNetwork::load(&trained, Compute::fastest()).unwrap();
    let local = Classifier::imported(&trained, network);
    for (file, label) in [
        ("coffee.png", Some("coffee")),
        ("rocket.jpg", Some("rocket")),
        ("camera.png", None),
    ] {
        let image = photograph(file);
        let inference = infer(&trained, &image);
        let ranking = local.rank(&local.logits(&inference).unwrap(), 5);
        let known = local.known(&inference).unwrap();
        for protocol in Protocol::ALL {
            let answer = classify(app.address, protocol, request(&image, "things"));
            let answer = answer.await.unwrap();
            for (found, expected) in answer.predictions.iter().zip(ranking.classes()) {
                assert_eq!(found.index as usize, expected.index, "{protocol:?}");
                let difference = found.confidence - expected.probability;
                assert!(difference.abs() < 1e-5, "{protocol:?}");
            }
            assert_eq!(answer.predictions.len(), 2, "{protocol:?}");
            assert!((answer.known_score.unwrap() - known.score).abs() < 1e-5);
            assert_eq!(answer.unknown, label.is_none(), "{protocol:?} {file}");
            assert_eq!(answer.model_revision, local.revision());
            if let Some(label) = label {
                assert_eq!(answer.label, label, "{protocol:?}");
            }
        }
    }
}

#[tokio::test]
async fn explains_and_embeds() {
    let dir = Dir::new().await;
    let trained = trained("things");
    trained.write(&dir.path("things")).unwrap();
    let app = App::with(&dir.options()).await;
    let image = photograph("coffee.png");
    let inference = infer(&trained, &image);
    let options = ClassifyOptions {
        model: "things".to_owned(),
        top_k: 2,
        explain: true,
    };
    let answer = client(&app).classify(image.clone(), options).await.unwrap();
    let head = trained.head().unwrap();
    for prediction in answer.predictions {
        let features = inference.features.as_ref().unwrap();
        let class = prediction.index as usize;
        let expected = head.heatmap(features, &inference.embedding, class);
        let found = prediction.heatmap.unwrap();
        assert_eq!((found.height, found.width), (8, 8));
        for (value, expected) in found.values.iter().zip(expected.values) {
            assert!((value - expected).abs() < 1e-3, "{value} {expected}");
        }
    }
    let embedded = client(&app).embed(image, "things").await.unwrap();
    assert_eq!(embedded.embedding.len(), inference.embedding.values().len());
}

#[tokio::test]
async fn is_a_version_like_every_other_model() {
    let dir = Dir::new().await;
    let imported = model("cells", "inverted_residual", Framing::ResizeThenCrop(0.9));
    imported.write(&dir.path("cells/1")).unwrap();
    trained("cells").write(&dir.path("cells/2")).unwrap();
    let app = App::with(&dir.options()).await;
    let listed = summary(&app, "cells", 2).await.unwrap();
    assert_eq!((listed.classes, listed.input_size), (2, 16));
    assert!(listed.is_current && listed.kernel_share > 0.99);
    assert_eq!(listed.training, r#"{"images":2}"#);
    let found = client(&app).model("cells").await.unwrap();
    assert_eq!(found.labels, CLASSES);
    assert_eq!(found.weights_digest, trained("cells").digest());
    assert_eq!(found.preprocessing.unwrap().channels, "bgr");
    let first = client(&app).model("cells@1").await.unwrap();
    assert_eq!(first.labels.len(), 10);
}

#[tokio::test]
async fn keeps_serving_when_a_file_no_longer_fits() {
    let dir = Dir::new().await;
    let trained = trained("cells");
    let cells = dir.path("cells");
    trained.write(&cells).unwrap();
    let app = App::with(&dir.options()).await;
    let other = model("cells", "residual", Framing::ResizeThenCrop(0.9));
    other.write(&dir.path(".other")).unwrap();
    let network = fs::read(dir.path(".other/model.onnx")).unwrap();
    fs::write(cells.join("model.onnx"), network).unwrap();
    notices(&app, "was not trained on the network and preprocessing").await;
    trained.write(&cells).unwrap();
    fs::remove_file(cells.join("model.safetensors")).unwrap();
    notices(&app, "cannot read model.safetensors").await;
    let listed = summary(&app, "cells", 0).await.unwrap();
    assert_eq!(listed.state(), ModelState::Serving);
    let answer = classify(
        app.address,
        Protocol::ALL[0],
        request(&photograph("rocket.jpg"), "cells"),
    );
    assert_eq!(answer.await.unwrap().label, "rocket");
}
