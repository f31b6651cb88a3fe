//! Several servers: requests take turns, survive the loss of one, and retries stay within a budget.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod scripted;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};
use imageclassifier_client::{Classifier, ClassifyOptions, ErrorKind, RetryBudget, StreamOptions};
use tokio::time::sleep;
use tonic::{Status, transport::Server};

use scripted::{Process, Reply, Told, overloaded};

const ANYWHERE: &str = "http://127.0.0.1:0";
/// Never served.
const NOWHERE: &str = "http://127.0.0.1:1";

type Counts = BTreeMap<String, usize>;

fn named(name: &'static str) -> Process {
    Process::start(Server::builder(), ANYWHERE, answers_as(name))
}

fn answers_as(name: &'static str) -> impl Fn(&str, &Told) -> Reply {
    move |_, _| {
        std::thread::sleep(Duration::from_millis(1));
        Reply::AnswerAs(name)
    }
}

fn classifier(servers: &[&Process]) -> Classifier {
    let urls: Vec<_> = servers.iter().map(|server| server.url.as_str()).collect();
    Classifier::new(&urls.join(", ")).unwrap()
}

async fn classify(classifier: &Classifier) -> String {
    let image = Bytes::from_static(b"cat");
    let answer = classifier.classify(image, ClassifyOptions::default()).await;
    answer.unwrap().label
}

/// Answers of concurrent requests by server; none may fail.
async fn load(classifier: &Classifier, duration: Duration) -> Counts {
    let until = Instant::now() + duration;
    let users = (0..8).map(|_| async move {
        let mut labels = Vec::new();
        while Instant::now() < until {
            labels.push(classify(classifier).await);
        }
        labels
    });
    let mut counts = Counts::new();
    for label in join_all(users).await.concat() {
        *counts.entry(label).or_default() += 1;
    }
    counts
}

fn names(counts: &Counts) -> Vec<&str> {
    counts.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn servers_of_a_list_take_turns() {
    let (a, b) = (named("a"), named("b"));
    let classifier = classifier(&[&a, &b]);
    let mut labels = Vec::new();
    for _ in 0..20 {
        labels.push(classify(&classifier).await);
    }
    let of_a = labels.iter().filter(|label| *label == "a").count();
    assert_eq!(of_a, 10, "{labels:?}");
}

#[tokio::test]
async fn a_server_that_dies_costs_no_request_and_comes_back() {
    let (mut a, b) = (named("a"), named("b"));
    let classifier = classifier(&[&a, &b]);
    let kill = async {
        sleep(Duration::from_millis(300)).await;
        a.kill();
    };
    let (counts, ()) = tokio::join!(load(&classifier, Duration::from_secs(1)), kill);
    assert_eq!(names(&counts), ["a", "b"], "{counts:?}");
    let counts = load(&classifier, Duration::from_millis(300)).await;
    assert_eq!(names(&counts), ["b"], "{counts:?}");
    let _again = Process::start(Server::builder(), &a.url, answers_as("a"));
    // It is set aside for 5 seconds at most, and a quarter of that.
    let counts = load(&classifier, Duration::from_millis(6500)).await;
    assert_eq!(names(&counts), ["a", "b"], "{counts:?}");
}

#[tokio::test]
async fn connections_that_end_cost_no_request() {
    let aged = |name| {
        let builder = Server::builder().max_connection_age(Duration::from_millis(50));
        Process::start(builder, ANYWHERE, answers_as(name))
    };
    let (a, b) = (aged("a"), aged("b"));
    for servers in [&[&a, &b][..], &[&a]] {
        // Nothing is repeated that a server may have processed.
        let budget = RetryBudget {
            max_tokens: 1.0,
            token_ratio: 0.0,
        };
        let classifier = classifier(servers).with_retry_budget(Some(budget));
        let counts = load(&classifier, Duration::from_secs(2)).await;
        assert_eq!(counts.len(), servers.len(), "{counts:?}");
    }
}

#[tokio::test]
async fn an_unreachable_server_costs_nothing() {
    let a = named("a");
    let classifier = Classifier::new(&format!("{NOWHERE},{}", a.url)).unwrap();
    let classifier = classifier.with_retries(0);
    for _ in 0..4 {
        assert_eq!(classify(&classifier).await, "a");
    }
}

#[tokio::test]
async fn without_retries_requests_move_to_another_server() {
    let a = named("a");
    let stopping = |_: &str, _: &Told| Reply::BreakOff(Status::unavailable("stopping"));
    let b = Process::start(Server::builder(), ANYWHERE, stopping);
    let classifier = classifier(&[&a, &b]).with_retries(0);
    for _ in 0..4 {
        assert_eq!(classify(&classifier).await, "a");
    }
    assert!(b.told.times("cat") > 0);
}

#[tokio::test]
async fn a_list_that_is_unreachable_is_one_error() {
    let classifier = Classifier::new(&format!("{NOWHERE},{NOWHERE}")).unwrap();
    let image = Bytes::from_static(b"cat");
    let answer = classifier.classify(image, ClassifyOptions::default());
    let error = answer.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("refused"), "{error}");

    let unknown = Classifier::new("http://name.invalid:1").unwrap();
    let error = unknown.model("").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("resolved"), "{error}");
}

/// How often a server is asked that always says UNAVAILABLE.
async fn attempts_in_an_outage(budget: Option<RetryBudget>) -> usize {
    let outage = |_: &str, _: &Told| Reply::BreakOff(Status::unavailable("stopping"));
    let server = Process::start(Server::builder(), ANYWHERE, outage);
    let classifier = classifier(&[&server]).with_retry_budget(budget);
    let requests = (0..40).map(|_| async {
        let image = Bytes::from_static(b"cat");
        let answer = classifier.classify(image, ClassifyOptions::default()).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unavailable);
    });
    stream::iter(requests)
        .buffer_unordered(10)
        .collect::<()>()
        .await;
    server.told.times("cat")
}

#[tokio::test]
async fn the_budget_stops_retries_in_an_outage() {
    let budget = RetryBudget {
        max_tokens: 20.0,
        ..RetryBudget::default()
    };
    let attempts = attempts_in_an_outage(Some(budget)).await;
    assert!((41..=50).contains(&attempts), "{attempts}");
}

#[tokio::test]
async fn clones_share_a_budget_also_with_other_retries() {
    let outage = |_: &str, _: &Told| Reply::BreakOff(Status::unavailable("stopping"));
    let server = Process::start(Server::builder(), ANYWHERE, outage);
    let classifier = classifier(&[&server]).with_retry_budget(Some(RetryBudget {
        max_tokens: 4.0,
        token_ratio: 0.0,
    }));
    for (classifier, attempts) in [(classifier.clone(), 2), (classifier.with_retries(9), 3)] {
        let image = Bytes::from_static(b"cat");
        let answer = classifier.classify(image, ClassifyOptions::default());
        assert_eq!(answer.await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(server.told.times("cat"), attempts);
    }
}

#[tokio::test]
async fn without_a_budget_every_request_is_retried() {
    assert_eq!(attempts_in_an_outage(None).await, 40 * 4);
}

#[tokio::test]
async fn retries_after_the_servers_hint() {
    const HINT: Duration = Duration::from_millis(400);
    let busy = |_: &str, told: &Told| match told.times("cat") {
        1 => overloaded(HINT),
        2 => Reply::BreakOff(Status::unavailable("stopping")),
        _ => Reply::Answer,
    };
    let server = Process::start(Server::builder(), ANYWHERE, busy);
    let since = Instant::now();
    assert_eq!(classify(&classifier(&[&server])).await, "cat");
    assert!(since.elapsed() >= HINT);
    assert_eq!(server.told.times("cat"), 3);
}

#[tokio::test]
async fn never_waits_past_the_deadline() {
    let busy = |_: &str, _: &Told| overloaded(Duration::from_millis(900));
    let server = Process::start(Server::builder(), ANYWHERE, busy);
    let classifier = classifier(&[&server]).with_timeout(Duration::from_millis(800));
    let since = Instant::now();
    let image = Bytes::from_static(b"cat");
    let answer = classifier.classify(image, ClassifyOptions::default());
    assert_eq!(answer.await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(since.elapsed() < Duration::from_millis(800));
}

/// Images over streams, of which `kill` happens in the middle.
async fn streamed(classifier: &Classifier, images: usize, mut kill: impl FnMut()) -> Counts {
    let images = stream::iter(0..images).then(|key| async move {
        sleep(Duration::from_millis(2)).await;
        (key, Bytes::from_static(b"cat"))
    });
    let options = StreamOptions::default();
    let outcomes = classifier.classify_stream(images, ClassifyOptions::default(), options);
    let outcomes = outcomes.enumerate().map(|(position, (key, outcome))| {
        if position == 50 {
            kill();
        }
        (key, outcome.unwrap().label)
    });
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort();
    let mut counts = Counts::new();
    for (position, (key, label)) in outcomes.into_iter().enumerate() {
        assert_eq!(position, key);
        *counts.entry(label).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn streams_use_all_servers() {
    let (a, b) = (named("a"), named("b"));
    let counts = streamed(&classifier(&[&a, &b]), 200, || {}).await;
    assert!(counts["a"] > 50 && counts["b"] > 50, "{counts:?}");
}

#[tokio::test]
async fn a_stream_moves_to_another_server() {
    let (mut a, b) = (named("a"), named("b"));
    let classifier = classifier(&[&a, &b]);
    let counts = streamed(&classifier, 200, || a.kill()).await;
    assert_eq!(counts.values().sum::<usize>(), 200);
    assert!(counts["b"] > 100, "{counts:?}");
}
