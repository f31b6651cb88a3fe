//! Images with their correct labels, kept for training.

use std::{fs, path::Path};

use imageclassifier_proto::{
    FeedbackRequest, ListModelsRequest, image_classifier_client::ImageClassifierClient,
};
use tonic::Code;
use tonic_types::StatusExt;

use crate::app::{App, photograph};

fn images(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

#[tokio::test]
async fn images_are_kept_once_by_label_where_training_looks_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::with(&["--feedback-dir", dir.path().to_str().unwrap()]).await;
    let mut client = ImageClassifierClient::new(app.channel().await);
    let feedback = |image: &'static str, label: &str| FeedbackRequest {
        image_data: photograph(image),
        label: label.to_owned(),
    };
    for (image, label) in [
        ("coffee.png", "cup"),
        ("coffee.png", "cup"),
        ("rocket.jpg", "../rocket"),
    ] {
        let answer = client.feedback(feedback(image, label)).await.unwrap();
        assert!(!answer.get_ref().request_id.is_empty());
    }
    assert_eq!(
        images(&dir.path().join("cup")),
        [&photograph("coffee.png")[..]]
    );
    let kept = fs::read_dir(dir.path().join("_._rocket"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(kept.path().extension().unwrap(), "jpg");

    let damaged = FeedbackRequest {
        image_data: photograph("rocket.jpg").slice(..500),
        label: "rocket".to_owned(),
    };
    for (request, reason) in [
        (damaged, "IMAGE_UNDECODABLE"),
        (feedback("coffee.png", " "), "LABEL_MALFORMED"),
        (feedback("coffee.png", &"x".repeat(201)), "LABEL_MALFORMED"),
    ] {
        let error = client.feedback(request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.get_details_error_info().unwrap().reason, reason);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn no_image_is_kept_unless_the_server_was_told_where() {
    let app = App::start().await;
    let mut client = ImageClassifierClient::new(app.channel().await);
    let request = FeedbackRequest {
        image_data: photograph("coffee.png"),
        label: "cup".to_owned(),
    };
    let error = client.feedback(request).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert_eq!(
        error.get_details_error_info().unwrap().reason,
        "NOT_ENABLED"
    );
    let listed = client.list_models(ListModelsRequest {}).await.unwrap();
    assert!(!listed.get_ref().accepts_feedback);
}
