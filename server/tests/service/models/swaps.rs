//! Models that are replaced while requests use them. `cargo test --config xtask/run.toml --test service swaps -- --nocapture`
//! prints times of optimised code.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use imageclassifier_client::ClassifyOptions;
use imageclassifier_model::Embedding;
use imageclassifier_proto::inference::RepositoryModelLoadRequest;
use tokio::task::JoinSet;

use super::fixture::{Dir, client, tokens, with_token};
use crate::{
    app::{App, photograph},
    oip::messages,
};

const SWAPS: usize = 100;
const IN_FLIGHT: usize = 8;
/// Between two swaps, so that requests see each model.
const PAUSE: Duration = Duration::from_millis(50);

/// Times of requests until `stop`, and the labels that they got. Every one has to succeed.
async fn load(app: &App, stop: &Arc<AtomicBool>) -> JoinSet<(Vec<Duration>, BTreeSet<String>)> {
    let mut running = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let client = client(app).with_token("secret").unwrap();
        let stop = Arc::clone(stop);
        running.spawn(async move {
            let (mut times, mut labels) = (Vec::new(), BTreeSet::new());
            while !stop.load(Ordering::Relaxed) {
                let options = ClassifyOptions {
                    model: "mine".to_owned(),
                    ..Default::default()
                };
                let begun_at = Instant::now();
                let answer = client.classify(photograph("coffee.png"), options).await;
                times.push(begun_at.elapsed());
                labels.insert(answer.expect("no request fails").label);
            }
            (times, labels)
        });
    }
    running
}

/// The 99th percentile of the times, their number, and the labels.
async fn end(
    stop: &AtomicBool,
    running: JoinSet<(Vec<Duration>, BTreeSet<String>)>,
) -> (Duration, usize, BTreeSet<String>) {
    stop.store(true, Ordering::Relaxed);
    let (mut times, mut labels) = (Vec::new(), BTreeSet::new());
    for (some, seen) in running.join_all().await {
        times.extend(some);
        labels.extend(seen);
    }
    times.sort();
    (times[times.len() * 99 / 100], times.len(), labels)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_a_model_is_replaced() {
    let dir = Dir::new().await;
    let names = ["coffee", "rocket"];
    dir.write_labelled("mine/1", &names, &["0", "x"]);
    let tokens = tokens();
    let token_file = ["--token-file", tokens.path().to_str().unwrap()];
    let options = [&dir.options()[..], &token_file, &["--queue-wait-max", "10"]].concat();
    let app = App::with(&options).await;
    let swap = async |number: usize| {
        // A new version each time, as `PublishModel` does it, and the one before goes.
        let (version, label) = (number + 2, (number % 2).to_string());
        let hidden = dir.path(&format!(".{version}"));
        dir.model(&names, &[&label, "x"]).write(&hidden).unwrap();
        std::fs::rename(hidden, dir.path(&format!("mine/{version}"))).unwrap();
        let now = RepositoryModelLoadRequest {
            model_name: "mine".to_owned(),
            ..Default::default()
        };
        let mut oip = messages::client(&app).await;
        oip.repository_model_load(with_token(now, "secret"))
            .await
            .unwrap();
        dir.remove(&format!("mine/{}", version - 1));
        tokio::time::sleep(PAUSE).await;
    };
    let stop = Arc::new(AtomicBool::new(false));
    let running = load(&app, &stop).await;
    let begun_at = Instant::now();
    for number in 0..SWAPS {
        swap(number).await;
    }
    let time = begun_at.elapsed();
    let (with_swaps, requests, labels) = end(&stop, running).await;
    assert_eq!(labels, BTreeSet::from(["0", "1"].map(str::to_owned)));
    let loads = app
        .metric("imageclassifier_model_loads_total{result=\"ok\"}")
        .await;
    assert_eq!(loads, 101.0);

    let stop = Arc::new(AtomicBool::new(false));
    let running = load(&app, &stop).await;
    tokio::time::sleep(time.min(Duration::from_secs(2))).await;
    let (without, others, _) = end(&stop, running).await;
    println!(
        "{SWAPS} swaps in {time:.1?}, {IN_FLIGHT} requests in flight: p99 {with_swaps:.1?} of {requests} requests; without swaps {without:.1?} of {others}"
    );
}

#[tokio::test]
async fn a_head_of_a_hundred_classes_is_small() {
    const ROUNDS: u32 = 200;
    let dir = Dir::new().await;
    let classes = ["coffee", "rocket"].repeat(50);
    let labels: Vec<_> = (0..classes.len()).map(|it| it.to_string()).collect();
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    let folder = dir.model(&classes, &labels);
    folder.write(&dir.path("hundred")).unwrap();
    let bytes = std::fs::metadata(dir.path("hundred/model.safetensors"))
        .unwrap()
        .len();
    assert!(bytes <= 2 << 20, "{bytes}");
    let embedding = Embedding::new(vec![1.0; 1280]);
    let begun_at = Instant::now();
    for _ in 0..ROUNDS {
        let logits = folder.head().logits(&embedding).unwrap();
        assert_eq!(folder.head().rank(&logits, 5).classes().len(), 5);
        assert!(folder.head().known(&embedding).score.is_finite());
    }
    let time = begun_at.elapsed() / ROUNDS;
    println!("a head of 100 classes: {bytes} bytes, {time:.1?} for an image");
}
