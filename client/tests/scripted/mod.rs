//! A server that does what the test tells it.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt, stream};
use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse,
    ClassifyStreamResponse, ERROR_DOMAIN, EmbedRequest, EmbedResponse, FeedbackRequest,
    FeedbackResponse, GetModelRequest, GetModelResponse, ListModelsRequest, ListModelsResponse,
    PublishModelRequest, PublishModelResponse,
    classify_stream_response::Outcome,
    image_classifier_server::{ImageClassifier, ImageClassifierServer},
};
use prost::Message;
use tokio::{net::TcpListener, runtime::Runtime, sync::mpsc};
use tonic::{
    Code, Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};
use tonic_types::{ErrorDetails, StatusExt, pb};

/// What becomes of a message, by the text that stands for its image.
type Script = dyn Fn(&str, &Told) -> Reply + Send + Sync;

pub(crate) enum Reply {
    /// With the text as the label.
    Answer,
    AnswerAfter(Duration),
    /// With the server's name as the label.
    AnswerAs(&'static str),
    Error(pb::Status),
    Silence,
    /// Ends the stream without the responses that are due.
    BreakOff(Status),
}

/// What the server has seen.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) streams: AtomicUsize,
    pub(crate) messages: Mutex<Vec<(String, Instant)>>,
    under_way: AtomicUsize,
    pub(crate) under_way_max: AtomicUsize,
}

impl Told {
    pub(crate) fn times(&self, text: &str) -> usize {
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
                        Reply::AnswerAs(name) => answer(name.to_owned()),
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
        request: Request<ClassifyImageRequest>,
    ) -> Result<Response<ClassifyImageResponse>, Status> {
        let image = request.into_inner().image_data;
        let text = String::from_utf8(image.to_vec()).unwrap();
        let told = (text.clone(), Instant::now());
        self.told.messages.lock().unwrap().push(told);
        let label = match (self.script)(&text, &self.told) {
            Reply::Answer => text,
            Reply::AnswerAs(name) => name.to_owned(),
            Reply::AnswerAfter(wait) => {
                tokio::time::sleep(wait).await;
                text
            }
            Reply::Error(status) => {
                let details = status.encode_to_vec().into();
                let code = Code::from_i32(status.code);
                return Err(Status::with_details(code, status.message, details));
            }
            Reply::BreakOff(status) => return Err(status),
            Reply::Silence => std::future::pending().await,
        };
        Ok(Response::new(ClassifyImageResponse {
            label,
            ..ClassifyImageResponse::default()
        }))
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

pub(crate) fn overloaded(hint: Duration) -> Reply {
    let mut details = ErrorDetails::with_retry_info(Some(hint));
    details.set_error_info("OVERLOADED", ERROR_DOMAIN, HashMap::new());
    let status = Status::with_error_details(Code::ResourceExhausted, "busy", details);
    Reply::Error(pb::Status::decode(status.details()).unwrap())
}

/// Serves `script` at `address`, as long as the caller's runtime lives. Returns the URL.
pub(crate) async fn serve(
    mut builder: Server,
    address: SocketAddr,
    script: impl Fn(&str, &Told) -> Reply + Send + Sync + 'static,
) -> (String, Arc<Told>) {
    let told = Arc::<Told>::default();
    let service = Scripted {
        script: Arc::new(script),
        told: Arc::clone(&told),
    };
    let listener = TcpListener::bind(address).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(
        builder
            .add_service(ImageClassifierServer::new(service))
            .serve_with_incoming(TcpIncoming::from(listener)),
    );
    (url, told)
}

/// A server that can be killed, and started again at the same address.
pub(crate) struct Process {
    runtime: Option<Runtime>,
    pub(crate) url: String,
    pub(crate) told: Arc<Told>,
}

impl Process {
    pub(crate) fn start(
        builder: Server,
        url: &str,
        script: impl Fn(&str, &Told) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = url.trim_start_matches("http://").parse().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let serving = runtime.spawn(serve(builder, address, script));
        // A runtime does not wait within another one.
        let (url, told) = std::thread::scope(|scope| {
            let started = scope.spawn(|| runtime.block_on(serving));
            started.join().unwrap().unwrap()
        });
        Self {
            runtime: Some(runtime),
            url,
            told,
        }
    }

    /// Cuts off all connections.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
