//! Models that clients upload, load and unload.

use std::fs;

use bytes::Bytes;
use imageclassifier_client::ModelState;
use imageclassifier_proto::{
    PublishModelRequest, PublishModelResponse,
    image_classifier_client::ImageClassifierClient,
    inference::{RepositoryIndexRequest, RepositoryModelLoadRequest, RepositoryModelUnloadRequest},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::fixture::{Dir, tokens, with_token};
use crate::{app::App, oip::messages};

async fn publish(
    app: &App,
    token: &str,
    messages: Vec<PublishModelRequest>,
) -> Result<PublishModelResponse, Status> {
    let mut client = ImageClassifierClient::new(app.channel().await);
    let messages = futures_util::stream::iter(messages);
    let answer = client.publish_model(with_token(messages, token)).await;
    answer.map(tonic::Response::into_inner)
}

/// The files of a model in parts of 1000 bytes.
fn upload(name: &str, version: u64, files: &[(&str, Vec<u8>)]) -> Vec<PublishModelRequest> {
    let parts = files.iter().flat_map(|(file, bytes)| {
        bytes.chunks(1000).map(|part| PublishModelRequest {
            name: name.to_owned(),
            version,
            file: (*file).to_owned(),
            data: Bytes::copy_from_slice(part),
        })
    });
    parts.collect()
}

fn files(dir: &Dir, labels: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    dir.write_labelled(".uploaded", &["coffee", "rocket"], labels);
    ["config.json", "model.safetensors"]
        .map(|file| (file, fs::read(dir.path(".uploaded").join(file)).unwrap()))
        .to_vec()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn a_published_model_is_served_at_once_as_the_next_version() {
    let (dir, tokens) = (Dir::new().await, tokens());
    let token_file = ["--token-file", tokens.path().to_str().unwrap()];
    let app = App::with(&[&dir.options()[..], &token_file].concat()).await;
    let good = files(&dir, &["cup", "ship"]);
    for (version, expected) in [(0, 1), (0, 2), (7, 7), (0, 8)] {
        let published = publish(&app, "secret", upload("mine", version, &good)).await;
        let model = published.unwrap().model.unwrap();
        assert_eq!((model.name.as_str(), model.version), ("mine", expected));
        assert_eq!(
            (model.state(), model.is_current),
            (ModelState::Serving, true)
        );
    }
    fs::rename(dir.path("mine/8"), dir.path("mine/.rolled-back-8")).unwrap();
    let after = publish(&app, "secret", upload("mine", 0, &good))
        .await
        .unwrap();
    assert_eq!(after.model.unwrap().version, 9, "no number is used twice");

    let mut nan = good.clone();
    let end = nan[1].1.len();
    nan[1].1[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut own_network = good.clone();
    own_network[0].1 = br#"{"format": 3}"#.to_vec();
    let extra = [&good[..], &[("../../evil", vec![1])]].concat();
    let long = [&good[..], &[("LICENSE", vec![b'x'; (1 << 20) + 1])]].concat();
    for (name, version, files, why) in [
        (
            "mine",
            3,
            &good[..],
            "version 3 is not above the highest so far, 9",
        ),
        ("mine", 0, &good[..1], "model.safetensors is missing"),
        ("mine", 0, &nan, "not a number"),
        ("mine", 0, &own_network, "copy the whole folder"),
        ("mine", 0, &extra, "it has a file \"../../evil\""),
        ("mine", 0, &long, "LICENSE is larger than"),
        ("../mine", 0, &good, "is no name for a model"),
        (".mine", 0, &good, "is no name for a model"),
        ("efficientnet-lite0", 0, &good, "name of the built-in model"),
        ("mine", 0, &[], "missing"),
    ] {
        let error = publish(&app, "secret", upload(name, version, files))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{why}: {error:?}");
        assert_eq!(reason(&error), "MODEL_UNUSABLE");
        assert!(error.message().contains(why), "{error:?}");
    }
    for token in ["changed", "guess"] {
        let error = publish(&app, token, upload("mine", 0, &good))
            .await
            .unwrap_err();
        let expected = [
            ("changed", Code::PermissionDenied),
            ("guess", Code::Unauthenticated),
        ];
        assert!(expected.contains(&(token, error.code())), "{error:?}");
    }
    // Nothing but the versions is left behind.
    let entries = fs::read_dir(dir.path("")).unwrap();
    let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".uploaded", "mine"]);
    assert_eq!(fs::read_dir(dir.path("mine")).unwrap().count(), 5);
    assert_eq!(
        app.metric("imageclassifier_upload_in_flight_bytes").await,
        0.0
    );
}

#[tokio::test]
async fn nothing_can_be_published_without_a_folder_or_a_token_that_may() {
    let dir = Dir::new().await;
    let good = files(&dir, &["cup", "ship"]);
    let app = App::with(&dir.options()).await;
    let error = publish(&app, "any", upload("mine", 0, &good))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error).as_str()),
        (Code::PermissionDenied, "PERMISSION_DENIED")
    );
    let app = App::start().await;
    let error = publish(&app, "any", upload("mine", 0, &good))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error).as_str()),
        (Code::Unimplemented, "NOT_ENABLED")
    );
}

#[tokio::test]
async fn tritons_clients_list_load_and_unload_models() {
    let (dir, tokens) = (Dir::new().await, tokens());
    dir.write("mine/1", &["coffee", "rocket"]);
    let token_file = ["--token-file", tokens.path().to_str().unwrap()];
    let app = App::with(&[&dir.options()[..], &token_file].concat()).await;
    let mut oip = messages::client(&app).await;
    let named = |name: &str| RepositoryModelLoadRequest {
        model_name: name.to_owned(),
        ..Default::default()
    };
    let unnamed = |name: &str| RepositoryModelUnloadRequest {
        model_name: name.to_owned(),
        ..Default::default()
    };
    let index = async |ready| {
        let mut oip = messages::client(&app).await;
        let request = RepositoryIndexRequest {
            ready,
            ..Default::default()
        };
        let index = oip.repository_index(with_token(request, "changed")).await;
        let models = index.unwrap().into_inner().models.into_iter();
        let models = models.filter(|model| model.name == "mine");
        models
            .map(|it| (it.version, it.state, it.reason))
            .collect::<Vec<_>>()
    };
    let ready = |version: &str| (version.to_owned(), "READY".to_owned(), String::new());
    assert_eq!(index(true).await, [ready("1")]);

    let denied = oip
        .repository_model_unload(with_token(unnamed("mine"), "changed"))
        .await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    oip.repository_model_unload(with_token(unnamed("mine"), "secret"))
        .await
        .unwrap();
    let unloaded = (
        "1".to_owned(),
        "UNAVAILABLE".to_owned(),
        "unloaded".to_owned(),
    );
    assert_eq!(index(false).await, [unloaded]);
    assert!(index(true).await.is_empty());

    // Loading reads the folder at once.
    dir.write("mine/2", &["coffee", "rocket"]);
    let denied = oip
        .repository_model_load(with_token(named("mine"), "changed"))
        .await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    oip.repository_model_load(with_token(named("mine"), "secret"))
        .await
        .unwrap();
    assert_eq!(index(true).await, [ready("2"), ready("1")]);

    dir.file("mine/3", "config.json", b"{}");
    for (name, code, why) in [
        (
            "mine",
            Code::InvalidArgument,
            "cannot read model.safetensors",
        ),
        ("absent", Code::NotFound, "there is no model"),
    ] {
        let error = oip
            .repository_model_load(with_token(named(name), "secret"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.message().contains(why), "{error:?}");
    }
    // What made it fail may have gone without a change of the folder.
    let failed = "imageclassifier_model_loads_total{result=\"failed\"}";
    let before = app.metric(failed).await;
    let again = oip.repository_model_load(with_token(named("mine"), "secret"));
    assert!(again.await.is_err());
    assert_eq!(app.metric(failed).await, before + 1.0);
    let network = unnamed("efficientnet-lite0");
    let error = oip
        .repository_model_unload(with_token(network, "secret"))
        .await
        .unwrap_err();
    assert_eq!(reason(&error), "MODEL_UNUSABLE");
}
