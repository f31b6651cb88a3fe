//! A server that reads slowly does not take its clients for slow.

use imageclassifier_proto::{ClassifyImageRequest, image_classifier_client::ImageClassifierClient};
use tokio_stream::StreamExt;

use crate::{
    app::{App, within_seconds},
    script::{Script, order},
};

/// More than are worked on at once, so that the server stops reading for longer than it would wait for a client.
async fn answers_in_time(message: ClassifyImageRequest) {
    let cores = std::thread::available_parallelism().unwrap().get();
    let messages = 6 * cores;
    let options = [
        "--upload-timeout",
        "0.2",
        "--idle-timeout",
        "0.2",
        "--queue-wait-max",
        "60",
        "--deadline",
        "60",
    ];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let mut client = ImageClassifierClient::new(app.channel().await);
    let stream = tokio_stream::iter(vec![message; messages]);
    let answers = client.classify_stream(stream).await.unwrap().into_inner();
    let answers: Vec<_> = within_seconds(30, answers.collect()).await;
    let failed = answers.iter().find_map(|answer| answer.as_ref().err());
    assert!(failed.is_none(), "{failed:?}");
    assert_eq!(answers.len(), messages);
}

#[tokio::test]
async fn messages_that_wait_to_be_read_are_not_late() {
    answers_in_time(order("sleep 500")).await;
}

/// A message is longer than what a client may send ahead, so that the server stops in the midst of one.
#[tokio::test]
async fn messages_that_are_read_in_part_are_not_late() {
    let zeros = "0".repeat(400 << 10);
    answers_in_time(order(&format!("sleep {zeros}500"))).await;
}
