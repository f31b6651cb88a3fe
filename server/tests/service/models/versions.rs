//! Versions as in Triton's layout: DIR/NAME/VERSION.

use clap::Parser;
use imageclassifier_client::{ClassifyOptions, ModelState};
use imageclassifier_model::{Compute, Network, Weights};
use imageclassifier_proto::inference::{ModelMetadataRequest, ModelReadyRequest};
use imageclassifier_server::{Config, Engine};

use super::fixture::{Dir, client, summary};
use crate::{
    app::{App, photograph, within_seconds},
    oip::messages,
};

async fn label(app: &App, model: &str) -> Option<String> {
    let options = ClassifyOptions {
        model: model.to_owned(),
        ..Default::default()
    };
    let client = client(app);
    let answer = client.classify(photograph("coffee.png"), options).await;
    answer.ok().map(|answer| answer.label)
}

async fn until(app: &App, model: &str, expected: &str) {
    within_seconds(20, async {
        while label(app, model).await.as_deref() != Some(expected) {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
}

fn versions(dir: &Dir) {
    dir.write_labelled("mine", &["coffee", "rocket"], &["zero", "x"]);
    dir.write_labelled("mine/1", &["coffee", "rocket"], &["one", "x"]);
    dir.write_labelled("mine/10", &["coffee", "rocket"], &["ten", "x"]);
    dir.write_labelled("mine/9", &["coffee", "rocket"], &["nine", "x"]);
}

#[tokio::test]
async fn the_highest_version_serves_and_each_can_be_named() {
    let dir = Dir::new().await;
    versions(&dir);
    let options = [&dir.options()[..], &["--default-model", "mine"]].concat();
    let app = App::with(&options).await;
    for (model, expected) in [
        ("", Some("ten")),
        ("mine", Some("ten")),
        ("mine@10", Some("ten")),
        ("mine@9", Some("nine")),
        ("mine@1", Some("one")),
        ("mine@0", Some("zero")),
        ("mine@2", None),
        ("mine@", None),
        ("mine@10@1", None),
        ("efficientnet-lite0", Some("espresso")),
        ("efficientnet-lite0@0", Some("espresso")),
    ] {
        assert_eq!(label(&app, model).await.as_deref(), expected, "{model:?}");
    }
    let mut oip = messages::client(&app).await;
    let metadata = oip.model_metadata(ModelMetadataRequest {
        name: "mine".to_owned(),
        version: String::new(),
    });
    let metadata = metadata.await.unwrap().into_inner();
    assert_eq!(metadata.versions, ["10", "9", "1", "0"]);
    for (version, ready) in [("", true), ("9", true), ("2", false)] {
        let request = ModelReadyRequest {
            name: "mine".to_owned(),
            version: version.to_owned(),
        };
        let found = oip.model_ready(request).await.unwrap().into_inner().ready;
        assert_eq!(found, ready, "{version:?}");
    }
    // A higher version that does not work changes nothing; without the highest one, the next serves.
    dir.file("mine/11", "config.json", b"{}");
    within_seconds(20, async {
        while summary(&app, "mine", 11).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
    let broken = summary(&app, "mine", 11).await.unwrap();
    assert_eq!(
        (broken.state(), broken.is_current),
        (ModelState::Broken, false)
    );
    assert_eq!(label(&app, "").await.as_deref(), Some("ten"));
    std::fs::rename(dir.path("mine/10"), dir.path("mine/.rolled-back-10")).unwrap();
    until(&app, "", "nine").await;
    dir.write_labelled("mine/12", &["coffee", "rocket"], &["twelve", "x"]);
    until(&app, "mine", "twelve").await;
}

#[tokio::test]
async fn a_version_beyond_the_limit_serves_once_there_is_room() {
    const VERSIONS_MAX: usize = 256;
    let dir = Dir::new().await;
    for number in 0..VERSIONS_MAX {
        dir.file(&format!("another-{number}"), "config.json", b"{}");
    }
    dir.write("mine", &["coffee", "rocket"]);
    let app = App::with(&dir.options()).await;
    let mine = summary(&app, "mine", 0).await.unwrap();
    assert_eq!(mine.state(), ModelState::Broken);
    assert!(mine.error.contains("remove some"), "{}", mine.error);
    // A change of its files makes no room.
    dir.write_labelled("mine", &["coffee", "rocket"], &["cup", "x"]);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(label(&app, "mine").await, None);
    // Nor is there room for one that comes while the server runs.
    dir.write_labelled("yours", &["coffee", "rocket"], &["mug", "x"]);
    within_seconds(20, async {
        while summary(&app, "yours", 0).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(label(&app, "yours").await, None);
    std::fs::remove_dir_all(dir.path("another-0")).unwrap();
    until(&app, "mine", "cup").await;
    assert_eq!(label(&app, "yours").await, None);
    std::fs::remove_dir_all(dir.path("another-1")).unwrap();
    until(&app, "yours", "mug").await;
}

#[tokio::test]
async fn a_default_model_that_cannot_be_used_keeps_the_server_from_starting() {
    let dir = Dir::new().await;
    dir.file("broken", "config.json", b"{}");
    let weights = Weights::lite0();
    let network = Network::load(&weights, Compute::fastest()).unwrap();
    for (name, why) in [
        ("absent", "there is no such folder"),
        ("broken", "cannot read model.safetensors"),
    ] {
        let options = [&["imageclassifier-server"], &dir.options()[..]].concat();
        let options = [&options[..], &["--default-model", name]].concat();
        let config = Config::try_parse_from(options).unwrap();
        let error = Engine::start(network.clone(), weights.clone(), &config);
        let error = error.map(drop).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(why), "{error}");
    }
    let missing = ["imageclassifier-server", "--models", "/does/not/exist"];
    let config = Config::try_parse_from(missing).unwrap();
    let error = Engine::start(network, weights, &config).map(drop);
    assert!(error.unwrap_err().to_string().contains("--models"));
}
