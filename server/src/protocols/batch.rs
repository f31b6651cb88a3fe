//! Several images in one request, as one message or as a stream: each gets the result that Classify would give.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::Extensions;
use imageclassifier_proto::{
    ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse, ClassifyStreamResponse,
    classify_batch_response, classify_stream_response,
};
use tokio::time::timeout_at;
use tonic::{Status, Streaming};
use tonic_types::pb;

use crate::{
    guard::{deadline::Deadline, memory_reservation::MemoryReservation, rate_limit::Allowance},
    protocols::classify::{Service, id_length},
    request::{error::RequestError, head::RequestHead},
};

/// What all images of one request have in common.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) service: Service,
    pub(crate) head: RequestHead,
    /// Deadline of the whole request.
    pub(crate) deadline: Instant,
    /// How long one image may take.
    pub(crate) timeout: Duration,
    pub(crate) allowance: Allowance,
}

/// Returns the answers in the order in which they are ready.
pub(crate) fn batch(
    context: RequestContext,
    requests: Vec<ClassifyImageRequest>,
) -> impl Stream<Item = Result<ClassifyBatchResponse, Status>> + Send {
    let shared = context.clone();
    let answers = stream::iter((0..).zip(requests))
        .map(move |(index, mut request)| {
            let context = shared.clone();
            async move {
                let id = std::mem::take(&mut request.id);
                let outcome = context.answer(&id, request).await;
                Ok(ClassifyBatchResponse {
                    index,
                    id,
                    outcome: Some(match outcome {
                        Ok(response) => classify_batch_response::Outcome::Response(response),
                        Err(error) => classify_batch_response::Outcome::Error(error),
                    }),
                })
            }
        })
        .buffer_unordered(context.at_once());
    context.until_deadline(answers)
}

/// Returns the answers in the order in which they are ready, until the client or the server ends the stream. In either
/// case, messages received by then are answered first.
pub(crate) fn stream(
    context: RequestContext,
    reservation: Arc<MemoryReservation>,
    messages: Streaming<ClassifyImageRequest>,
) -> impl Stream<Item = Result<ClassifyStreamResponse, Status>> + Send {
    let final_status = Arc::new(OnceLock::new());
    let shared = context.clone();
    let answers = requests(context.clone(), messages, Arc::clone(&final_status))
        .enumerate()
        .map(move |(index, mut request)| {
            let (context, reservation) = (shared.clone(), Arc::clone(&reservation));
            let message_bytes = reservation.next_message_bytes();
            async move {
                let id = std::mem::take(&mut request.id);
                let outcome = context.answer(&id, request).await;
                reservation.give_back(message_bytes);
                Ok(ClassifyStreamResponse {
                    index: index as u64,
                    id,
                    outcome: Some(match outcome {
                        Ok(response) => classify_stream_response::Outcome::Response(response),
                        Err(error) => classify_stream_response::Outcome::Error(error),
                    }),
                })
            }
        })
        .buffer_unordered(context.at_once());
    let final_status = async move { final_status.get().cloned() }.into_stream();
    let final_status = final_status.filter_map(|status| async { status.map(Err) });
    context.until_deadline(answers.chain(final_status))
}

/// The messages up to the end of the stream. If the client did not end it, `final_status` says why.
fn requests(
    context: RequestContext,
    messages: Streaming<ClassifyImageRequest>,
    final_status: Arc<OnceLock<Status>>,
) -> impl Stream<Item = ClassifyImageRequest> + Send {
    stream::unfold(
        (context, messages, final_status),
        |(context, mut messages, final_status)| async {
            let readiness = context.service.engine().readiness();
            let message = tokio::select! {
                message = messages.next() => message,
                () = readiness.closing() => Some(Err(context.reject(&RequestError::NotReady))),
            };
            match message? {
                Ok(request) => Some((request, (context, messages, final_status))),
                Err(status) => {
                    // Only the first error counts.
                    let _ = final_status.set(context.explained(status));
                    None
                }
            }
        },
    )
}

impl RequestContext {
    pub(crate) fn new(service: &Service, extensions: &Extensions) -> Self {
        Self {
            service: service.clone(),
            head: RequestHead::from_extensions(extensions),
            deadline: Deadline::from_extensions(extensions).0,
            timeout: service.timeout(),
            allowance: Allowance::from_extensions(extensions),
        }
    }

    pub(crate) fn at_once(&self) -> usize {
        self.service.engine().images_at_once()
    }

    async fn answer(
        &self,
        id: &str,
        request: ClassifyImageRequest,
    ) -> Result<ClassifyImageResponse, pb::Status> {
        let deadline = self.deadline.min(Instant::now() + self.timeout);
        let answering = async {
            id_length(id)?;
            self.allowance.take()?;
            self.service.answer(request, &self.head, deadline).await
        };
        let outcome = timeout_at(deadline.into(), answering).await;
        let outcome = outcome.unwrap_or(Err(RequestError::DeadlineExceeded));
        outcome.map_err(|error| self.service.reporter().rpc_status(&self.head, &error))
    }

    fn reject(&self, error: &RequestError) -> Status {
        self.service.reporter().status(&self.head, error)
    }

    /// Keeps the server's own errors, and replaces those of the codec, which do not help a client.
    fn explained(&self, status: Status) -> Status {
        if status.details().is_empty() {
            self.reject(&RequestError::MessageMalformed)
        } else {
            status
        }
    }

    /// Forwards the results until the request's deadline, then DEADLINE_EXCEEDED.
    fn until_deadline<T>(
        self,
        answers: impl Stream<Item = Result<T, Status>> + Send,
    ) -> impl Stream<Item = Result<T, Status>> + Send {
        let answers = Box::pin(answers);
        stream::unfold(Some((self, answers)), |open| async {
            let (context, mut answers) = open?;
            match timeout_at(context.deadline.into(), answers.next()).await {
                Ok(answer) => Some((answer?, Some((context, answers)))),
                Err(_) => Some((Err(context.reject(&RequestError::DeadlineExceeded)), None)),
            }
        })
    }
}
