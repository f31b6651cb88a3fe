//! Limits on a request's message while it is received: its length, its duration, the memory that all messages together
//! hold, and how much of a rejected message is still read.

use std::{
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError,
    body::Body,
    extract::{Request, State as Shared},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http::{Extensions, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};
use tonic::Status;

use crate::{
    body_guard::hold_until_end,
    guard::{
        batch_count::BatchCounter, client_timer::ClientTimer, memory_reservation::MemoryReservation,
    },
    observe::{
        error_reporter::{ErrorReporter, ReportedError},
        metrics::{Metrics, Stage},
    },
    request::{
        error::{ImageCount, RequestError},
        head::{Method, Protocol, RequestHead},
    },
};

/// Length of the prefix of each gRPC message: a flag, and four bytes with the message's length.
pub(crate) const PREFIX_BYTES: usize = 5;
/// How much of a rejected message is still read. An HTTP/1.1 client sends everything before it listens: if the connection
/// were closed meanwhile, it would see a broken pipe instead of our answer. Over HTTP/2 some plain HTTP clients (curl 7.88)
/// show no answer if its stream is reset afterwards.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
/// How long reading the rest may take.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes of a long message in a stream have to arrive within the upload timeout.
const PROGRESS_BYTES: usize = 16 << 10;

/// Limits on a request's message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Longer messages are not even read to find out how long they are.
    pub(crate) message_bytes_max: usize,
    /// The limit that errors state.
    pub(crate) image_bytes_max: u64,
    pub(crate) batch_images_max: u32,
    pub(crate) timeout: Duration,
    /// How long a stream may be silent between two messages.
    pub(crate) idle_timeout: Duration,
}

/// A request's body with its limits enforced.
struct LimitedBody {
    body: Body,
    head: RequestHead,
    limiter: BodyLimiter,
    reservation: Arc<MemoryReservation>,
    timer: ClientTimer,
    error: Option<BodyError>,
    /// Whether the rest of a message is still read if the answer comes before its end.
    read_to_end: bool,
    prefix: Vec<u8>,
    received_bytes: usize,
    /// Streams only: bytes of the current message that are still to come.
    missing_bytes: usize,
    /// Streams only: bytes of the current message since the timer was restarted.
    progress_bytes: usize,
    /// Of a batch.
    counter: BatchCounter,
    state: State,
}

/// Why the messages of a reflection stream ended early, as an extension of its request: the reflection service takes every
/// end of the stream for the client's.
#[derive(Clone, Default)]
pub(crate) struct BodyError(Arc<OnceLock<ReportedError>>);

enum State {
    Reading,
    /// The message is rejected for this reason. The rest is read, but not kept.
    Discarding(RequestError),
    Ended,
}

/// What the uploads of all requests share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct BodyLimiter {
    pub(crate) limits: BodyLimits,
    /// One permit for each byte that may be held.
    pub(crate) bytes: Arc<Semaphore>,
    pub(crate) reporter: ErrorReporter,
    pub(crate) metrics: Metrics,
}

/// Enforces the limits on a request's message for all inner layers.
pub(crate) async fn watch(
    Shared(limiter): Shared<BodyLimiter>,
    request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let reservation = Arc::new(MemoryReservation::new(
        Arc::clone(&limiter.bytes),
        limiter.metrics.clone(),
    ));
    let read_to_end = request.version() < Version::HTTP_2 || head.protocol == Protocol::Http;
    let method = head.method;
    let error = (method == Method::Reflection).then(BodyError::default);
    let limited = |body| {
        let mut limited =
            LimitedBody::new(body, read_to_end, head, limiter, Arc::clone(&reservation));
        limited.error.clone_from(&error);
        limited
    };
    let mut request = request.map(|body| Body::new(limited(body)));
    request.extensions_mut().insert(Arc::clone(&reservation));
    if let Some(error) = error {
        request.extensions_mut().insert(error);
    }
    let response = next.run(request).await;
    // A request with several images holds its messages, in whatever form, until its response has ended.
    match method {
        Method::ClassifyBatch | Method::ClassifyStream => hold_until_end(response, reservation),
        _ => response,
    }
}

impl BodyError {
    pub(crate) fn from_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get().cloned()
    }

    pub(crate) fn status(&self) -> Option<&Status> {
        self.0.get().map(ReportedError::status)
    }
}

impl LimitedBody {
    fn new(
        body: Body,
        read_to_end: bool,
        head: RequestHead,
        limiter: BodyLimiter,
        reservation: Arc<MemoryReservation>,
    ) -> Self {
        let first_timeout = if is_stream(head.method) {
            limiter.limits.idle_timeout
        } else {
            limiter.limits.timeout
        };
        Self {
            body,
            head,
            timer: ClientTimer::new(first_timeout),
            error: None,
            limiter,
            reservation,
            read_to_end,
            prefix: Vec::with_capacity(PREFIX_BYTES),
            received_bytes: 0,
            missing_bytes: 0,
            progress_bytes: 0,
            counter: BatchCounter::default(),
            state: State::Reading,
        }
    }

    fn fail(&mut self, error: &RequestError) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let error = self.limiter.reporter.body_error(&self.head, error.clone());
        if let Some(first) = &self.error {
            // The first error ends the body, so there is no second one.
            let _ = first.0.set(error.clone());
        }
        Poll::Ready(Some(Err(error.into())))
    }

    /// Whether no message is incomplete: the client may have nothing to send.
    fn is_between_messages(&self) -> bool {
        is_stream(self.head.method) && self.missing_bytes == 0
    }

    /// How long to wait for the message or, in a stream, for progress.
    fn timeout(&self) -> Duration {
        let limits = &self.limiter.limits;
        if self.is_between_messages() {
            limits.idle_timeout
        } else {
            limits.timeout
        }
    }

    /// Accounts for `data`, which may end one message of a stream and begin others. Each message may be as long as that of
    /// a unary call.
    fn receive_stream(&mut self, data: &[u8]) -> Result<(), RequestError> {
        let mut any_begun = false;
        let mut rest = data;
        while !rest.is_empty() {
            let in_prefix = self.missing_bytes == 0;
            let wanted = if in_prefix {
                PREFIX_BYTES - self.prefix.len()
            } else {
                self.missing_bytes
            };
            let (part, after) = rest.split_at(wanted.min(rest.len()));
            rest = after;
            if !in_prefix {
                self.missing_bytes -= part.len();
                continue;
            }
            self.prefix.extend(part);
            if self.prefix.len() == PREFIX_BYTES {
                self.missing_bytes = self.declared_bytes();
                self.prefix.clear();
                if self.missing_bytes > self.limiter.limits.message_bytes_max {
                    return Err(RequestError::MessageTooLarge {
                        bytes_max: self.limiter.limits.image_bytes_max,
                    });
                }
                any_begun = true;
                // Reflection requests are answered at once and need no reservation; an upload keeps its own to its end.
                if self.head.method == Method::ClassifyStream {
                    self.reservation.announce(PREFIX_BYTES + self.missing_bytes);
                }
            }
        }
        self.progress_bytes += data.len();
        if any_begun || self.missing_bytes == 0 || self.progress_bytes >= PROGRESS_BYTES {
            self.progress_bytes = 0;
            self.timer.restart(self.timeout());
        }
        match self.head.method {
            Method::ClassifyStream | Method::PublishModel => self.hold(data.len()),
            _ => Ok(()),
        }
    }

    fn hold(&self, bytes: usize) -> Result<(), RequestError> {
        self.reservation.reserve(bytes)
    }

    /// Accounts for `data`, and starts discarding if its message is rejected.
    fn receive(&mut self, data: &Bytes) -> Result<(), RequestError> {
        if is_stream(self.head.method) {
            return self.receive_stream(data);
        }
        self.received_bytes += data.len();
        if matches!(self.state, State::Discarding(_)) {
            return Ok(());
        }
        let missing = PREFIX_BYTES - self.prefix.len();
        self.prefix.extend(data.iter().take(missing));
        if let Some(error) = self.excess(&data[missing.min(data.len())..]) {
            self.state = State::Discarding(error);
            return Ok(());
        }
        self.hold(data.len())
    }

    /// What the message has too much of, with the next of its bytes.
    fn excess(&mut self, data: &[u8]) -> Option<RequestError> {
        let limits = self.limiter.limits;
        let declared_bytes = self.declared_bytes();
        if declared_bytes.max(self.received_bytes) > limits.message_bytes_max {
            return Some(RequestError::MessageTooLarge {
                bytes_max: limits.image_bytes_max,
            });
        }
        // tonic would decode a second message before it drops it.
        let is_grpc = self.head.protocol != Protocol::Http;
        if is_grpc && self.received_bytes > PREFIX_BYTES + declared_bytes {
            return Some(RequestError::MessageMalformed);
        }
        // Compressed images are counted once they are decompressed.
        if self.head.method != Method::ClassifyBatch || self.prefix.first() != Some(&0) {
            return None;
        }
        let images = self.counter.count(data);
        let images_max = limits.batch_images_max;
        (images > images_max as usize).then_some(RequestError::BatchSize {
            images: ImageCount::AtLeast(images),
            images_max,
        })
    }

    /// The length that the message declares; zero before its prefix is complete, and in plain HTTP, which has no prefix.
    fn declared_bytes(&self) -> usize {
        if self.head.protocol == Protocol::Http {
            return 0;
        }
        match *self.prefix {
            [_, a, b, c, d] => u32::from_be_bytes([a, b, c, d]) as usize,
            _ => 0,
        }
    }
}

/// Whether the client may send any number of messages.
fn is_stream(method: Method) -> bool {
    matches!(
        method,
        Method::ClassifyStream | Method::PublishModel | Method::Reflection
    )
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            if matches!(this.state, State::Ended) {
                return Poll::Ready(None);
            }
            let discarding = matches!(this.state, State::Discarding(_));
            let frame = if discarding && this.received_bytes > DISCARDED_BYTES_MAX {
                None
            } else {
                // The body first: data that has arrived is not late just because it had not been read.
                match Pin::new(&mut this.body).poll_frame(context) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        ready!(this.timer.poll_waiting(context));
                        this.state = State::Ended;
                        let timeout = this.timeout();
                        return this.fail(&if this.is_between_messages() {
                            RequestError::StreamIdle { timeout }
                        } else {
                            RequestError::UploadTooSlow { timeout }
                        });
                    }
                }
            };
            this.timer.pause();
            match frame {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref()
                        && let Err(error) = this.receive(data)
                    {
                        return this.fail(&error);
                    }
                    if matches!(this.state, State::Reading) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Some(Err(error)) => {
                    this.state = State::Ended;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => match mem::replace(&mut this.state, State::Ended) {
                    State::Discarding(error) => return this.fail(&error),
                    State::Reading | State::Ended => {
                        if this.head.method.has_one_image() {
                            let time = this.head.arrived_at.elapsed();
                            this.limiter.metrics.observe(Stage::Upload, time);
                        }
                    }
                },
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for LimitedBody {
    /// Reads the rest of a message that was answered early: the client must finish sending before it sees the answer.
    fn drop(&mut self) {
        if self.read_to_end
            && !matches!(self.state, State::Ended)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(DISCARD_TIMEOUT, discard(mem::take(&mut self.body))));
        }
    }
}

async fn discard(mut body: Body) {
    let mut discarded_bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded_bytes += frame.data_ref().map_or(0, Bytes::len);
        if discarded_bytes > DISCARDED_BYTES_MAX {
            return;
        }
    }
}
