//! Several pictures in one call, in one message or in a stream of them: each gets what Classify would have given it.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, Stream, StreamExt, stream};
use imageclassifier_proto::{
    ClassifyBatchResponse, ClassifyImageRequest, ClassifyImageResponse, ClassifyStreamResponse,
    classify_batch_response, classify_stream_response,
};
use prost::Message;
use tokio::time::timeout_at;
use tonic::{Request, Status, Streaming};
use tonic_types::pb;

use crate::{
    guard::{body_limit::HeldBytes, deadline::Deadline, rate_limit::Allowance},
    protocols::classify::{Service, id_length},
    request::{error::RequestError, head::Call},
};

/// Pictures of one call that are at work or wait for a core at once, for each core: enough that no core waits for them, and
/// few enough that others get their turn.
const AT_ONCE_PER_CORE: usize = 4;

/// What all pictures of one call have in common.
#[derive(Clone)]
pub(crate) struct Pictures {
    pub(crate) service: Service,
    pub(crate) call: Call,
    /// Of the call as a whole.
    pub(crate) deadline: Instant,
    /// How long one picture may take.
    pub(crate) timeout: Duration,
    pub(crate) allowance: Allowance,
}

/// Answers in the order in which they are ready.
pub(crate) fn batch(
    pictures: Pictures,
    requests: Vec<ClassifyImageRequest>,
) -> impl Stream<Item = Result<ClassifyBatchResponse, Status>> + Send {
    let asked = pictures.clone();
    let answers = stream::iter((0..).zip(requests))
        .map(move |(index, mut request)| {
            let pictures = asked.clone();
            async move {
                let id = std::mem::take(&mut request.id);
                let outcome = pictures.answer(&id, request).await;
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
        .buffer_unordered(pictures.at_once());
    pictures.until_deadline(answers)
}

/// Answers in the order in which they are ready, until the caller ends the stream or the server does. Whatever ends it,
/// what has been received by then is answered first.
pub(crate) fn stream(
    pictures: Pictures,
    held: Arc<HeldBytes>,
    messages: Streaming<ClassifyImageRequest>,
) -> impl Stream<Item = Result<ClassifyStreamResponse, Status>> + Send {
    let last_word = Arc::new(OnceLock::new());
    let asked = pictures.clone();
    let answers = requests(pictures.clone(), messages, Arc::clone(&last_word))
        .enumerate()
        .map(move |(index, mut request)| {
            let (pictures, held) = (asked.clone(), Arc::clone(&held));
            let message_bytes = held.next_message_bytes();
            async move {
                let id = std::mem::take(&mut request.id);
                let outcome = pictures.answer(&id, request).await;
                held.give_back(message_bytes);
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
        .buffer_unordered(pictures.at_once());
    let last_word = async move { last_word.get().cloned() }.into_stream();
    let last_word = last_word.filter_map(|status| async { status.map(Err) });
    pictures.until_deadline(answers.chain(last_word))
}

/// The messages up to the end of the stream. If that is not the caller's end, `last_word` says why.
fn requests(
    pictures: Pictures,
    messages: Streaming<ClassifyImageRequest>,
    last_word: Arc<OnceLock<Status>>,
) -> impl Stream<Item = ClassifyImageRequest> + Send {
    stream::unfold(
        (pictures, messages, last_word),
        |(pictures, mut messages, last_word)| async {
            let readiness = pictures.service.engine().readiness();
            let message = tokio::select! {
                message = messages.next() => message,
                () = readiness.closing() => Some(Err(pictures.reject(&RequestError::NotReady))),
            };
            match message? {
                Ok(request) => Some((request, (pictures, messages, last_word))),
                Err(status) => {
                    // Only the first error is looked for.
                    let _ = last_word.set(pictures.explained(status));
                    None
                }
            }
        },
    )
}

impl Pictures {
    pub(crate) fn new<T>(service: &Service, request: &Request<T>) -> Self {
        let extensions = request.extensions();
        Self {
            service: service.clone(),
            call: Call::of(extensions),
            deadline: Deadline::of(extensions).0,
            timeout: service.timeout(),
            allowance: Allowance::of(extensions),
        }
    }

    pub(crate) fn at_once(&self) -> usize {
        AT_ONCE_PER_CORE * self.service.engine().cores()
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
            self.service.answer(request, &self.call, deadline).await
        };
        let outcome = timeout_at(deadline.into(), answering).await;
        let outcome = outcome.unwrap_or(Err(RequestError::DeadlineExceeded));
        outcome.map_err(|error| {
            let status = self.reject(&error);
            pb::Status::decode(status.details()).expect("each of our refusals has details")
        })
    }

    fn reject(&self, error: &RequestError) -> Status {
        self.service.reporter().status(&self.call, error)
    }

    /// Our own words stay; the codec has none that a caller could use.
    fn explained(&self, status: Status) -> Status {
        if status.details().is_empty() {
            self.reject(&RequestError::MessageMalformed)
        } else {
            status
        }
    }

    /// The answers that come by the call's deadline, and then that it has passed.
    fn until_deadline<T>(
        self,
        answers: impl Stream<Item = Result<T, Status>> + Send,
    ) -> impl Stream<Item = Result<T, Status>> + Send {
        let answers = Box::pin(answers);
        stream::unfold(Some((self, answers)), |going_on| async {
            let (pictures, mut answers) = going_on?;
            match timeout_at(pictures.deadline.into(), answers.next()).await {
                Ok(answer) => Some((answer?, Some((pictures, answers)))),
                Err(_) => Some((Err(pictures.reject(&RequestError::DeadlineExceeded)), None)),
            }
        })
    }
}
