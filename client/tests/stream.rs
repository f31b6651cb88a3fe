//! The stream against a server that does what the test tells it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod scripted;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason, RetryBudget,
    StreamOptions,
};
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional, sink},
    net::{TcpListener, TcpStream},
};
use tonic::{Status, transport::Server};
use tonic_types::pb;

use scripted::{Reply, Told, overloaded, serve};

async fn server(
    script: impl Fn(&str, &Told) -> Reply + Send + Sync + 'static,
) -> (Classifier, Arc<Told>) {
    let address = "127.0.0.1:0".parse().unwrap();
    let (url, told) = serve(Server::builder(), address, script).await;
    (Classifier::new(&url).unwrap(), told)
}

type Outcomes = Vec<(usize, Result<Answer, CallError>)>;

/// Keys are positions.
async fn classify(classifier: &Classifier, texts: &[&str], options: StreamOptions) -> Outcomes {
    let texts: Vec<_> = texts
        .iter()
        .map(|text| Bytes::from((*text).to_owned()))
        .collect();
    let images = stream::iter(texts.into_iter().enumerate());
    let outcomes = classifier.classify_stream(images, ClassifyOptions::default(), options);
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort_by_key(|(key, _)| *key);
    outcomes
}

fn labels(outcomes: &Outcomes) -> Vec<&str> {
    outcomes
        .iter()
        .map(|(_, outcome)| outcome.as_ref().map_or("", |answer| answer.label.as_str()))
        .collect()
}

#[tokio::test]
async fn returns_results_as_they_finish_each_with_its_key() {
    let (classifier, told) = server(|text, _| match text {
        "slow" => Reply::AnswerAfter(Duration::from_millis(300)),
        _ => Reply::Answer,
    })
    .await;
    let texts = ["slow", "a", "b"].map(|text| (text, Bytes::from(text)));
    let outcomes = classifier.classify_stream(
        stream::iter(texts),
        ClassifyOptions::default(),
        StreamOptions::default(),
    );
    let outcomes: Vec<_> = outcomes.collect().await;
    assert_eq!(outcomes.last().unwrap().0, "slow");
    for (key, outcome) in &outcomes {
        assert_eq!(outcome.as_ref().unwrap().label, *key);
    }
    assert_eq!(told.streams.load(Ordering::Relaxed), 1);
}

/// Ends its first `endings` connections as a server does that has not begun to process their requests, and forwards the others.
async fn ending(server: String, endings: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            if connection < endings {
                const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
                /// No stream was processed, no error.
                const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                client.write_all(&SETTINGS).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
                client.write_all(&GOAWAY).await.unwrap();
                tokio::spawn(async move { tokio::io::copy(&mut client, &mut sink()).await });
            } else {
                let mut server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        }
    });
    url
}

#[tokio::test]
async fn connections_that_end_before_the_stream_is_processed_cost_nothing() {
    let address = "127.0.0.1:0".parse().unwrap();
    let (url, told) = serve(Server::builder(), address, |_, _| Reply::Answer).await;
    let url = ending(url.replace("http://", ""), 3).await;
    let classifier = Classifier::new(&url).unwrap();
    let classifier = classifier.with_retry_budget(Some(RetryBudget {
        max_tokens: 1.0,
        token_ratio: 0.0,
    }));
    let options = StreamOptions {
        retries: 0,
        ..StreamOptions::default()
    };
    let outcomes = classify(&classifier, &["a", "b", "c"], options).await;
    assert_eq!(labels(&outcomes), ["a", "b", "c"], "{outcomes:?}");
    assert_eq!(told.streams.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_error_concerns_its_image_alone() {
    let (classifier, told) = server(|text, _| match text {
        "bad" => Reply::Error(pb::Status {
            code: 3,
            message: "not an image".to_owned(),
            details: vec![],
        }),
        _ => Reply::Answer,
    })
    .await;
    let outcomes = classify(&classifier, &["a", "bad", "b"], StreamOptions::default()).await;
    assert_eq!(labels(&outcomes), ["a", "", "b"]);
    let error = outcomes[1].1.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "not an image");
    assert_eq!(told.times("bad"), 1);
}

#[tokio::test]
async fn bounds_the_images_in_flight() {
    let (classifier, told) = server(|_, _| Reply::AnswerAfter(Duration::from_millis(5))).await;
    let taken = AtomicUsize::new(0);
    let answered = AtomicUsize::new(0);
    let images = stream::iter(0..100usize).map(|key| {
        let held = taken.fetch_add(1, Ordering::Relaxed) + 1 - answered.load(Ordering::Relaxed);
        assert!(held <= 4, "{held} images are held");
        (key, Bytes::from("a"))
    });
    let options = StreamOptions {
        in_flight_max: 4,
        ..StreamOptions::default()
    };
    let outcomes = classifier.classify_stream(images, ClassifyOptions::default(), options);
    let count = outcomes
        .inspect(|_| {
            answered.fetch_add(1, Ordering::Relaxed);
        })
        .count();
    assert_eq!(count.await, 100);
    let under_way_max = told.under_way_max.load(Ordering::Relaxed);
    assert!((2..=4).contains(&under_way_max), "{under_way_max}");
}

#[tokio::test]
async fn resends_rejected_images_after_the_servers_hint() {
    const HINT: Duration = Duration::from_millis(400);
    let (classifier, told) = server(|text, told| match text {
        "busy" if told.times("busy") == 1 => overloaded(HINT),
        "never" => overloaded(Duration::from_millis(1)),
        _ => Reply::Answer,
    })
    .await;
    let options = StreamOptions {
        retries: 2,
        ..StreamOptions::default()
    };
    let outcomes = classify(&classifier, &["busy", "never", "a"], options).await;
    assert_eq!(labels(&outcomes), ["busy", "", "a"]);
    let error = outcomes[1].1.as_ref().unwrap_err();
    assert_eq!(error.reason(), ErrorReason::Overloaded);
    assert_eq!(told.times("never"), 3);
    let messages = told.messages.lock().unwrap();
    let mut at = messages.iter().filter(|(text, _)| text == "busy");
    let (first, second) = (at.next().unwrap().1, at.next().unwrap().1);
    assert!(second - first >= HINT);
    assert_eq!(told.streams.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn reopens_a_broken_stream() {
    let (classifier, told) = server(|text, told| match text {
        "last straw" if told.times("last straw") == 1 => {
            Reply::BreakOff(Status::unavailable("stopping"))
        }
        "lost" if told.times("last straw") == 0 => Reply::Silence,
        _ => Reply::Answer,
    })
    .await;
    let texts = ["a", "lost", "last straw", "b"];
    let outcomes = classify(&classifier, &texts, StreamOptions::default()).await;
    assert_eq!(labels(&outcomes), texts);
    assert_eq!(told.streams.load(Ordering::Relaxed), 2);
    assert_eq!(told.times("lost"), 2);
}

#[tokio::test]
async fn does_not_retry_a_rejected_stream() {
    let (classifier, told) =
        server(|_, _| Reply::BreakOff(Status::unauthenticated("who are you?"))).await;
    let options = StreamOptions {
        in_flight_max: 1,
        ..StreamOptions::default()
    };
    let outcomes = classify(&classifier, &["a"], options).await;
    let error = outcomes[0].1.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(told.streams.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn times_out_each_image() {
    let (classifier, _) = server(|text, _| match text {
        "mute" => Reply::Silence,
        _ => Reply::Answer,
    })
    .await;
    let classifier = classifier.with_timeout(Duration::from_millis(300));
    let began = Instant::now();
    let outcomes = classify(&classifier, &["mute", "a"], StreamOptions::default()).await;
    assert_eq!(labels(&outcomes), ["", "a"]);
    let error = outcomes[0].1.as_ref().unwrap_err();
    assert_eq!(error.reason(), ErrorReason::DeadlineExceeded);

    let unary = classifier.classify(Bytes::from("mute"), ClassifyOptions::default());
    let error = unary.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn reports_an_unreachable_server() {
    // Port 1 is never served.
    let classifier = Classifier::new("http://127.0.0.1:1").unwrap();
    let options = StreamOptions {
        retries: 1,
        ..StreamOptions::default()
    };
    let outcomes = classify(&classifier, &["a"], options).await;
    let error = outcomes[0].1.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.reason(), ErrorReason::Unspecified);
}
