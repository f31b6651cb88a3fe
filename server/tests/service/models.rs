//! Models of one's own beside the built-in one: folders that come, change, break and go while the server runs.

mod feedback;
pub(crate) mod fixture;
mod imported;
mod publish;
mod swaps;
mod trained_on_imported;
mod versions;

use imageclassifier_client::{ClassifyOptions, ModelState};
use imageclassifier_proto::ClassifyImageRequest;
use tonic::Code;

use crate::{
    app::{App, photograph, within_seconds},
    protocol::{Protocol, classify},
};
use fixture::{Dir, client, summary};

fn request(image: &str, model: &str) -> ClassifyImageRequest {
    ClassifyImageRequest {
        image_data: photograph(image),
        model: model.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn serves_model_folders_beside_the_built_in_model_over_every_protocol() {
    let dir = Dir::new().await;
    dir.write("drinks", &["coffee", "rocket"]);
    dir.write(".hidden", &["coffee", "rocket"]);
    let app = App::with(&dir.options()).await;
    for protocol in Protocol::ALL {
        let known = classify(app.address, protocol, request("coffee.png", "drinks"));
        let known = known.await.unwrap();
        assert_eq!(known.label, "coffee", "{protocol:?}");
        assert_eq!((known.model.as_str(), known.unknown), ("drinks", false));
        assert!(known.known_score.unwrap() > 0.99, "{protocol:?}");
        assert!(known.embedding.is_empty());
        assert_eq!(known.predictions.len(), 2, "{protocol:?}");

        let unknown = classify(app.address, protocol, request("camera.png", "drinks"));
        let unknown = unknown.await.unwrap();
        assert!(unknown.unknown, "{protocol:?}");
        assert!(unknown.known_score.unwrap() < 0.8, "{protocol:?}");

        let built_in = classify(app.address, protocol, request("coffee.png", ""));
        let built_in = built_in.await.unwrap();
        assert_eq!(built_in.label, "espresso", "{protocol:?}");
        assert_eq!((built_in.unknown, built_in.known_score), (false, None));
        assert_ne!(built_in.model_revision, known.model_revision);

        let hidden = classify(app.address, protocol, request("coffee.png", ".hidden"));
        assert_eq!(hidden.await.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test]
async fn features_are_the_same_from_embed_and_from_classify_with_any_model() {
    let dir = Dir::new().await;
    dir.write("drinks", &["coffee", "rocket"]);
    let app = App::with(&dir.options()).await;
    let embedded = client(&app).embed(photograph("coffee.png"), "drinks").await;
    let embedded = embedded.unwrap();
    assert_eq!(embedded.embedding.len(), 1280);
    assert_eq!(embedded.crop.unwrap().side, 350);
    assert!(embedded.timings.unwrap().inference_ms > 0.0);
    for model in ["", "drinks"] {
        for protocol in Protocol::ALL {
            let request = ClassifyImageRequest {
                embed: true,
                ..request("coffee.png", model)
            };
            let answer = classify(app.address, protocol, request).await.unwrap();
            assert_eq!(answer.embedding, embedded.embedding, "{protocol:?} {model}");
        }
    }
    let network = client(&app).model("").await.unwrap();
    assert_eq!(embedded.model_revision, network.revision);
    let unknown = client(&app)
        .embed(photograph("coffee.png"), "nothing")
        .await;
    assert_eq!(
        unknown.unwrap_err().detail("available"),
        Some("drinks efficientnet-lite0")
    );
}

#[tokio::test]
async fn models_are_added_replaced_and_removed_while_serving() {
    let dir = Dir::new().await;
    let app = App::with(&dir.options()).await;
    let client = client(&app);
    let options = ClassifyOptions {
        model: "mine".to_owned(),
        ..Default::default()
    };
    let label = async || {
        let answer = client.classify(photograph("coffee.png"), options.clone());
        answer
            .await
            .ok()
            .map(|answer| (answer.label, answer.model_revision))
    };
    assert_eq!(label().await, None);
    let until = async |expected: Option<&str>| {
        within_seconds(20, async {
            loop {
                let found = label().await;
                if found.as_ref().map(|(label, _)| label.as_str()) == expected {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        })
        .await
    };
    dir.write("mine", &["coffee", "rocket"]);
    let first = until(Some("coffee")).await.unwrap();
    // The same numbers with other labels are another model.
    dir.write_labelled("mine", &["coffee", "rocket"], &["cup", "ship"]);
    let second = until(Some("cup")).await.unwrap();
    assert_ne!(first.1, second.1);
    dir.remove("mine");
    until(None).await;
    assert_eq!(
        app.metric("imageclassifier_models{state=\"serving\"}")
            .await,
        1.0
    );
    assert_eq!(
        app.metric("imageclassifier_model_loads_total{result=\"ok\"}")
            .await,
        2.0
    );
}

#[tokio::test]
async fn a_broken_folder_never_replaces_a_working_model() {
    let dir = Dir::new().await;
    dir.write("mine", &["coffee", "rocket"]);
    dir.write("efficientnet-lite0", &["coffee", "rocket"]);
    dir.write("mine-preprocessed", &["coffee", "rocket"]);
    dir.write_for_another_base("foreign");
    dir.file("empty", "notes.txt", b"");
    let app = App::with(&dir.options()).await;
    let listed = client(&app).list_models().await.unwrap();
    for (name, why) in [
        (
            "foreign",
            "it was trained on efficientnet-lite0 with the weights 00000000",
        ),
        ("empty", "cannot read config.json"),
        ("mine-preprocessed", "its name ends with -preprocessed"),
    ] {
        let model = listed.iter().find(|model| model.name == name).unwrap();
        assert_eq!(model.state(), ModelState::Broken, "{name}");
        assert!(model.error.contains(why), "{}", model.error);
        let answer = classify(app.address, Protocol::Grpc, request("coffee.png", name)).await;
        assert_eq!(answer.unwrap_err().code(), Code::NotFound);
    }
    let built_in = "efficientnet-lite0";
    let of_that_name = listed.iter().filter(|model| model.name == built_in);
    let states: Vec<_> = of_that_name
        .map(|model| (model.is_default, model.state()))
        .collect();
    assert_eq!(
        states,
        [(true, ModelState::Serving), (false, ModelState::Broken)]
    );
    assert_eq!(
        app.metric("imageclassifier_models{state=\"broken\"}").await,
        4.0
    );

    for broken in [&b"{}"[..], b"\xff", b""] {
        dir.file("mine", "config.json", broken);
        within_seconds(20, async {
            while summary(&app, "mine", 0).await.unwrap().error.is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        })
        .await;
        let mine = summary(&app, "mine", 0).await.unwrap();
        assert_eq!(mine.state(), ModelState::Serving);
        assert!(mine.error.contains("config.json"), "{}", mine.error);
        let answer = classify(app.address, Protocol::Grpc, request("coffee.png", "mine")).await;
        assert_eq!(answer.unwrap().label, "coffee");
        dir.write("mine", &["coffee", "rocket"]);
        within_seconds(20, async {
            while !summary(&app, "mine", 0).await.unwrap().error.is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_list_describes_every_model() {
    let dir = Dir::new().await;
    dir.write("mine", &["coffee", "rocket"]);
    let app = App::with(&dir.options()).await;
    let [built_in, mine]: [_; 2] = client(&app)
        .list_models()
        .await
        .unwrap()
        .try_into()
        .unwrap();
    let network = client(&app).model("").await.unwrap();
    assert_eq!(built_in.name, network.name);
    assert_eq!(
        (built_in.revision, built_in.classes),
        (network.revision, 1000)
    );
    assert!(built_in.is_default && built_in.is_current && built_in.training.is_empty());
    let described = client(&app).model("mine").await.unwrap();
    assert_eq!(described.labels, ["coffee", "rocket"]);
    assert_eq!((mine.name, mine.classes), ("mine".to_owned(), 2));
    assert_eq!(
        (mine.revision, mine.digest),
        (described.revision, described.weights_digest)
    );
    assert!(mine.is_current && !mine.is_default);
    assert_eq!(mine.base, network.name);
    assert_eq!(mine.training, r#"{"images":2}"#);
    let calls = "imageclassifier_calls_total{method=\"ListModels\",protocol=\"grpc\",code=\"OK\"}";
    assert_eq!(app.metric(calls).await, 1.0);
}
