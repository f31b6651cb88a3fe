use imageclassifier_client::{Classifier, ClassifyOptions};
use imageclassifier_proto::ClassifyImageRequest;

use crate::{
    app::{App, photograph},
    protocol::{Protocol, classify},
};

#[tokio::test]
async fn every_protocol_gives_the_same_result() {
    let app = App::start().await;
    for protocol in Protocol::ALL {
        let request = ClassifyImageRequest {
            image_data: photograph("coffee.png"),
            ..Default::default()
        };
        let answer = classify(app.address, protocol, request).await.unwrap();
        assert_eq!(answer.label, "espresso", "{protocol:?}");
        assert!((answer.confidence - 0.951).abs() < 0.005, "{protocol:?}");
        let indices: Vec<_> = answer.predictions.iter().map(|p| p.index).collect();
        assert_eq!(indices, [967, 968, 925, 960, 504], "{protocol:?}");
        assert_eq!(answer.predictions[0].label, answer.label);
        assert_eq!(answer.model, "efficientnet-lite0");
        let timings = answer.timings.unwrap();
        assert!(timings.decode_ms > 0.0 && timings.inference_ms > 0.0 && timings.queue_ms >= 0.0);
    }
}

#[tokio::test]
async fn top_k_bounds_the_predictions() {
    let app = App::start().await;
    for (top_k, expected) in [(0, 5), (1, 1), (1000, 1000)] {
        let request = ClassifyImageRequest {
            image_data: photograph("rocket.jpg"),
            top_k,
            model: "efficientnet-lite0".to_owned(),
            ..Default::default()
        };
        let answer = classify(app.address, Protocol::Grpc, request)
            .await
            .unwrap();
        assert_eq!(answer.predictions.len(), expected);
        assert!(
            answer
                .predictions
                .is_sorted_by(|a, b| a.confidence >= b.confidence)
        );
        let sum: f32 = answer.predictions.iter().map(|p| p.confidence).sum();
        assert!(sum <= 1.0001);
    }
}

#[tokio::test]
async fn an_explained_result_has_a_heatmap_and_its_position_for_each_class() {
    let app = App::start().await;
    for protocol in Protocol::ALL {
        let request = ClassifyImageRequest {
            image_data: photograph("coffee.png"), // 600 x 400
            top_k: 7,
            explain: true,
            ..Default::default()
        };
        let answer = classify(app.address, protocol, request).await.unwrap();
        assert_eq!(answer.predictions.len(), 7);
        let mut sums = Vec::new();
        for prediction in &answer.predictions {
            let map = prediction.heatmap.as_ref().unwrap();
            assert_eq!((map.height, map.width, map.values.len()), (7, 7, 49));
            sums.push(map.values.iter().sum::<f32>());
        }
        // Biases are small: the maps of more probable classes have larger means.
        assert!(sums[0] > sums[6], "{sums:?}");
        let crop = answer.crop.unwrap();
        assert_eq!((crop.left, crop.top, crop.side), (125, 25, 350));
        assert_eq!((crop.picture_width, crop.picture_height), (600, 400));
    }
}

#[tokio::test]
async fn heatmaps_are_computed_only_on_request() {
    let app = App::start().await;
    let request = ClassifyImageRequest {
        image_data: photograph("coffee.png"),
        ..Default::default()
    };
    let answer = classify(app.address, Protocol::Grpc, request)
        .await
        .unwrap();
    assert!(answer.predictions.iter().all(|p| p.heatmap.is_none()));
}

#[tokio::test]
async fn the_rust_client_classifies_and_describes_the_model() {
    let app = App::start().await;
    let classifier = Classifier::new(&app.url()).unwrap();
    let options = ClassifyOptions {
        top_k: 1,
        ..Default::default()
    };
    let image = photograph("camera.png");
    let answer = classifier.classify(image, options).await.unwrap();
    assert_eq!(answer.label, "tripod");

    let model = classifier.model("").await.unwrap();
    assert_eq!(model.name, answer.model);
    assert_eq!(model.revision, answer.model_revision);
    assert_eq!(model.labels.len(), 1000);
    assert_eq!(model.labels[967], "espresso");
    assert_eq!(model.input_size, 224);
    assert_eq!(model.weights_digest.len(), 64);
    let preprocessing = model.preprocessing.unwrap();
    assert_eq!(preprocessing.crop_fraction, 0.875);
    assert_eq!((preprocessing.mean, preprocessing.scale), (127.0, 128.0));
    let limits = model.limits.unwrap();
    assert_eq!(limits.image_bytes_max, 10 << 20);
    assert!(limits.media_types.contains(&"image/webp".to_owned()));
}

#[tokio::test]
async fn every_kernel_and_backend_gives_the_same_result() {
    for options in [
        ["--backend", "flex"],
        ["--kernel", "scalar"],
        ["--kernel", "plain"],
        ["--backend", "ndarray"],
    ] {
        let app = App::with(&options).await;
        let request = ClassifyImageRequest {
            image_data: photograph("chelsea.png"),
            ..Default::default()
        };
        let answer = classify(app.address, Protocol::Grpc, request)
            .await
            .unwrap();
        assert_eq!(answer.label, "tiger cat", "{options:?}");
        assert!((answer.confidence - 0.408).abs() < 0.005, "{options:?}");
    }
}

#[tokio::test]
async fn concurrent_requests_do_not_mix() {
    let app = App::with(&["--queue-wait-max", "60"]).await;
    let images = [
        ("coffee.png", "espresso"),
        ("camera.png", "tripod"),
        ("rocket.jpg", "missile"),
        ("chelsea.png", "tiger cat"),
    ];
    let calls: Vec<_> = images
        .iter()
        .cycle()
        .take(40)
        .map(|(image, label)| {
            let request = ClassifyImageRequest {
                image_data: photograph(image),
                ..Default::default()
            };
            let call = tokio::spawn(classify(app.address, Protocol::Grpc, request));
            (call, label)
        })
        .collect();
    for (call, label) in calls {
        assert_eq!(call.await.unwrap().unwrap().label, **label);
    }
}
