//! The stream against a server that does what the test tells it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason, StreamOptions,
};
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, ERROR_DOMAIN, EmbedRequest, EmbedResponse, FeedbackRequest,
    FeedbackResponse, GetModelRequest, GetModelResponse, ListModelsRequest, ListModelsResponse,
    PublishModelRequest, PublishModelResponse,
    classify_stream_response::Outcome,
    image_classifier_server::{ImageClassifier, ImageClassifierServer},
};
use prost::Message;
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};
use tonic_types::{ErrorDetails, StatusExt, pb};

/// What becomes of a message, by the text that stands for its image.
type Script = dyn Fn(&str, &Told) -> Reply + Send + Sync;

enum Reply {
    /// With the text as the label.
    Answer,
    AnswerAfter(Duration),
    Error(pb::Status),
    Silence,
    /// Ends the stream without the responses that are due.
    BreakOff(Status),
}

/// What the server has seen.
#[derive(Default)]
struct Told {
    streams: AtomicUsize,
    messages: Mutex<Vec<(String, Instant)>>,
    under_way: AtomicUsize,
    under_way_max: AtomicUsize,
}

impl Told {
    fn times(&self, text: &str) -> usize {
        let messages = self.messages.lock().unwrap();
        messages.iter().filter(|(told, _)| told == text).count()
    }
}

struct Scripted {
    script: Arc<Script>,
    told: Arc<Told>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ImageClassifier for Scripted {
    type ClassifyBatchStream = Answers<ClassifyBatchResponse>;
    type ClassifyStreamStream = Answers<ClassifyStreamResponse>;

    async fn classify_stream(
        &self,
        request: Request<Streaming<ClassifyImageRequest>>,
    ) -> Result<Response<Self::ClassifyStreamStream>, Status> {
        let mut messages = request.into_inner();
        // Like a server that sends no headers before the first message.
        let first = messages.message().await?;
        let (script, told) = (Arc::clone(&self.script), Arc::clone(&self.told));
        told.streams.fetch_add(1, Ordering::Relaxed);
        let (send, mut answers) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut next = first;
            let mut index = 0;
            while let Some(message) = next {
                let text = String::from_utf8(message.image_data.to_vec()).unwrap();
                let now = Instant::now();
                told.messages.lock().unwrap().push((text.clone(), now));
                let under_way = told.under_way.fetch_add(1, Ordering::Relaxed) + 1;
                told.under_way_max.fetch_max(under_way, Ordering::Relaxed);
                let reply = script(&text, &told);
                if let Reply::BreakOff(status) = reply {
                    send.send(Err(status)).await.unwrap();
                    return;
                }
                let (send, told) = (send.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    let outcome = match reply {
                        Reply::Answer => answer(text),
                        Reply::AnswerAfter(wait) => {
                            tokio::time::sleep(wait).await;
                            answer(text)
                        }
                        Reply::Error(status) => Outcome::Error(status),
                        Reply::Silence | Reply::BreakOff(_) => return,
                    };
                    told.under_way.fetch_sub(1, Ordering::Relaxed);
                    let answer = ClassifyStreamResponse {
                        index,
                        id: message.id,
                        outcome: Some(outcome),
                    };
                    let _ = send.send(Ok(answer)).await;
                });
                index += 1;
                next = messages.message().await.unwrap_or(None);
            }
        });
        let answers = stream::poll_fn(move |context| answers.poll_recv(context));
        Ok(Response::new(answers.boxed()))
    }

    async fn classify(
        &self,
        _: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        std::future::pending().await
    }

    async fn classify_batch(
        &self,
        _: Request<ClassifyBatchRequest>,
    ) -> Result<Response<Self::ClassifyBatchStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_model(
        &self,
        _: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_models(
        &self,
        _: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn embed(&self, _: Request<EmbedRequest>) -> Result<Response<EmbedResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn publish_model(
        &self,
        _: Request<Streaming<PublishModelRequest>>,
    ) -> Result<Response<PublishModelResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn feedback(
        &self,
        _: Request<FeedbackRequest>,
    ) -> Result<Response<FeedbackResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

fn answer(label: String) -> Outcome {
    Outcome::Response(ClassifyImageResponse {
        label,
        ..ClassifyImageResponse::default()
    })
}

fn overloaded(hint: Duration) -> Reply {
    let mut details = ErrorDetails::with_retry_info(Some(hint));
    details.set_error_info("OVERLOADED", ERROR_DOMAIN, HashMap::new());
    let status = Status::with_error_details(tonic::Code::ResourceExhausted, "busy", details);
    Reply::Error(pb::Status::decode(status.details()).unwrap())
}

async fn server(
    script: impl Fn(&str, &Told) -> Reply + Send + Sync + 'static,
) -> (Classifier, Arc<Told>) {
    let told = Arc::<Told>::default();
    let service = Scripted {
        script: Arc::new(script),
        told: Arc::clone(&told),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(
        Server::builder()
            .add_service(ImageClassifierServer::new(service))
            .serve_with_incoming(TcpIncoming::from(listener)),
    );
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

    let unary = classifier.classify(Bytes::from("a"), ClassifyOptions::default());
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
