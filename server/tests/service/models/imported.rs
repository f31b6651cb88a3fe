//! Model folders with a network of their own.

use std::{fs, path::Path, time::Duration};

use bytes::Bytes;
use http::Request;
use imageclassifier_client::{ClassifyOptions, ErrorReason};
use imageclassifier_model::{
    Activation, Architecture, ChannelOrder, Compute, DecodedImage, EncodedImage, Filter, Framing,
    ImportedModel, ImportedNetwork, Inference, Input, NetworkFile, Preprocessing, Ranking,
    ThreadTeam,
};
use imageclassifier_proto::ClassifyImageRequest;
use serde_json::Value;
use tokio::time::sleep;

use super::fixture::{Dir, client, summary};
use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Http, Protocol, classify, send},
};

/// A network of `onnx/tests/fixtures`, for images of 16 x 16 pixels.
pub(super) fn model(name: &str, network: &str, framing: Framing) -> ImportedModel {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/fixtures");
    let onnx = fs::read(fixtures.join(network).with_extension("onnx")).unwrap();
    model_of(name, network, NetworkFile::Onnx(onnx.into()), framing)
}

fn model_of(name: &str, network: &str, file: NetworkFile, framing: Framing) -> ImportedModel {
    let preprocessing = Preprocessing {
        version: String::new(),
        input_size: 16,
        framing,
        filter: Filter::Bilinear,
        order: ChannelOrder::Bgr,
        mean: [103.5, 116.3, 123.7],
        scale: [57.4, 57.1, 58.4],
    };
    let labels = (0..10).map(|class| format!("class {class}")).collect();
    let source = serde_json::json!({"file": network});
    ImportedModel::new(
        name,
        file,
        labels,
        Activation::Softmax,
        preprocessing,
        source,
    )
    .unwrap()
}

/// What the network says without a server.
pub(super) fn infer(model: &ImportedModel, image: &Bytes) -> Inference {
    let network = ImportedNetwork::load(model, Compute::fastest()).unwrap();
    let image = EncodedImage::new(image, u64::MAX).unwrap();
    let decoded = DecodedImage::decode(&image, u64::MAX, model.preprocessing().view()).unwrap();
    let input = Input::prepare_for(&decoded, model.preprocessing());
    let mut runner = network.runner();
    runner.infer(&input, &mut ThreadTeam::solo(), true).unwrap()
}

#[tokio::test]
async fn serves_networks_beside_the_built_in_one_over_every_protocol() {
    let dir = Dir::new().await;
    let imported = model("cells", "inverted_residual", Framing::ResizeThenCrop(0.9));
    imported.write(&dir.path("cells")).unwrap();
    dir.write("drinks", &["coffee", "rocket"]);
    let app = App::with(&dir.options()).await;
    let image = photograph("coffee.png");
    let expected = Ranking::of(&infer(&imported, &image).logits, 10);
    for protocol in Protocol::ALL {
        for (model, label) in [
            ("cells", None),
            ("drinks", Some("coffee")),
            ("", Some("espresso")),
        ] {
            let request = ClassifyImageRequest {
                image_data: image.clone(),
                model: model.to_owned(),
                top_k: 10,
                ..Default::default()
            };
            let answer = classify(app.address, protocol, request).await.unwrap();
            match label {
                Some(label) => assert_eq!(answer.label, label, "{protocol:?}"),
                None => {
                    for (found, expected) in answer.predictions.iter().zip(expected.classes()) {
                        assert_eq!(found.index as usize, expected.index, "{protocol:?}");
                        assert!(
                            (found.confidence - expected.probability).abs() < 1e-5,
                            "{protocol:?}"
                        );
                    }
                    assert_eq!(answer.predictions.len(), 10);
                    // 16 of the 17 pixels to which the shorter side of 400 is resized.
                    assert_eq!(answer.crop.unwrap().side, 376);
                    assert_eq!((answer.unknown, answer.known_score), (false, None));
                }
            }
        }
    }
}

#[tokio::test]
async fn tells_the_truth_about_the_network() {
    let dir = Dir::new().await;
    model("cells", "inverted_residual", Framing::ResizeThenCrop(0.9))
        .write(&dir.path("cells"))
        .unwrap();
    model("squashed", "vit", Framing::Squash)
        .write(&dir.path("squashed"))
        .unwrap();
    let app = App::with(&dir.options()).await;
    let found = client(&app).model("cells").await.unwrap();
    assert_eq!((found.input_size, found.labels.len()), (16, 10));
    let preprocessing = found.preprocessing.unwrap();
    assert_eq!(preprocessing.channel_means, [103.5, 116.3, 123.7]);
    assert_eq!(preprocessing.channel_scales, [57.4, 57.1, 58.4]);
    assert_eq!((preprocessing.mean, preprocessing.scale), (0.0, 0.0));
    assert_eq!(
        (
            preprocessing.filter.as_str(),
            preprocessing.channels.as_str()
        ),
        ("bilinear", "bgr")
    );
    assert_eq!(
        (preprocessing.crop_fraction, preprocessing.squash),
        (0.9, false)
    );
    assert_eq!(preprocessing.resized_side, 17);
    let built_in = client(&app).model("").await.unwrap();
    assert_eq!(built_in.preprocessing.unwrap().resized_side, 0);
    let squashed = client(&app).model("squashed").await.unwrap();
    assert!(squashed.preprocessing.unwrap().squash);

    let listed = summary(&app, "cells", 0).await.unwrap();
    assert_eq!(
        (listed.base.as_str(), listed.classes, listed.input_size),
        ("cells", 10, 16)
    );
    assert!(listed.kernel_share > 0.99);
    assert!(listed.training.contains("inverted_residual"));

    let built_in = client(&app).model("").await.unwrap();
    let preprocessing = built_in.preprocessing.unwrap();
    assert_eq!((preprocessing.mean, preprocessing.scale), (127.0, 128.0));
    assert_eq!(preprocessing.channel_means, [127.0; 3]);
}

#[tokio::test]
async fn leaves_out_the_crop_if_the_network_sees_the_whole_image() {
    let dir = Dir::new().await;
    model("squashed", "vit", Framing::Squash)
        .write(&dir.path("squashed"))
        .unwrap();
    let app = App::with(&dir.options()).await;
    let request = Request::post("/v1/classify?model=squashed");
    let answer = send(app.address, Http::One, request, photograph("coffee.png")).await;
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    assert!(answer.get("crop").is_none());
    let openapi = include_str!("../../../../proto/openapi.json");
    let openapi: Value = serde_json::from_str(openapi).unwrap();
    let required = &openapi["components"]["schemas"]["Answer"]["required"];
    for name in required.as_array().unwrap() {
        assert!(answer.get(name.as_str().unwrap()).is_some(), "{name}");
    }
}

#[tokio::test]
async fn explains_and_embeds_only_where_the_network_ends_with_pooling_and_a_linear_layer() {
    let dir = Dir::new().await;
    let cells = model("cells", "inverted_residual", Framing::ResizeThenCrop(0.9));
    cells.write(&dir.path("cells")).unwrap();
    model("tokens", "vit", Framing::Squash)
        .write(&dir.path("tokens"))
        .unwrap();
    let app = App::with(&dir.options()).await;
    let image = photograph("coffee.png");
    // The mean of a heatmap and the class's bias make the logit, so that the difference is the same for every image.
    let biases = biases(&app, &cells, "coffee.png").await;
    for (bias, other) in biases
        .iter()
        .zip(self::biases(&app, &cells, "camera.png").await)
    {
        assert!((bias - other).abs() < 1e-4, "{bias} {other}");
    }
    let embedded = client(&app).embed(image.clone(), "cells").await.unwrap();
    assert_eq!(embedded.embedding.len(), 40);

    let error = client(&app)
        .classify(image.clone(), explained("tokens"))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), ErrorReason::ExplainUnsupported);
    let error = client(&app)
        .embed(image.clone(), "tokens")
        .await
        .unwrap_err();
    assert_eq!(error.reason(), ErrorReason::ExplainUnsupported);
    let plain = ClassifyOptions {
        model: "tokens".to_owned(),
        ..Default::default()
    };
    let answer = client(&app).classify(image, plain).await.unwrap();
    assert_eq!(answer.crop, None);
}

fn explained(model: &str) -> ClassifyOptions {
    ClassifyOptions {
        model: model.to_owned(),
        top_k: 10,
        explain: true,
    }
}

/// Each class's logit without the mean of its heatmap, by class index.
async fn biases(app: &App, model: &ImportedModel, name: &str) -> Vec<f32> {
    let image = photograph(name);
    let logits = infer(model, &image).logits;
    let answer = client(app)
        .classify(image, explained(model.name()))
        .await
        .unwrap();
    let mut biases = vec![0.0; 10];
    for prediction in answer.predictions {
        let heatmap = prediction.heatmap.unwrap();
        assert_eq!((heatmap.height, heatmap.width), (8, 8));
        let class = prediction.index as usize;
        #[allow(clippy::cast_precision_loss)]
        let mean = heatmap.values.iter().sum::<f32>() / heatmap.values.len() as f32;
        biases[class] = logits.values()[class] - mean;
    }
    biases
}

#[tokio::test]
async fn keeps_serving_a_network_whose_new_file_cannot_be_used() {
    let dir = Dir::new().await;
    model("cells", "residual", Framing::Squash)
        .write(&dir.path("cells"))
        .unwrap();
    let app = App::with(&dir.options()).await;
    let cells = dir.path("cells");
    fs::write(cells.join("model.onnx"), b"no network").unwrap();
    notices(&app, "model.onnx cannot be used").await;
    // The weights of an architecture instead, which are damaged in one way and then in another.
    let weights = NetworkFile::Checkpoint {
        architecture: Architecture::named("resnet18").unwrap(),
        weights: b"no weights".as_slice().into(),
    };
    let damaged = model_of("cells", "resnet18", weights, Framing::Squash);
    damaged.write(&cells).unwrap();
    assert!(!cells.join("model.onnx").exists());
    notices(&app, "network.safetensors cannot be used").await;
    fs::write(cells.join("network.safetensors"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    notices(&app, "it has no tensors").await;
    let options = ClassifyOptions {
        model: "cells".to_owned(),
        ..Default::default()
    };
    client(&app)
        .classify(photograph("coffee.png"), options)
        .await
        .unwrap();
}

/// Waits until the server says this about the model `cells`.
pub(super) async fn notices(app: &App, problem: &str) {
    let noticed = async {
        while !(summary(app, "cells", 0).await.unwrap().error).contains(problem) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    within_seconds(20, noticed).await;
}
