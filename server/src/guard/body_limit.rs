//! The message of a call while it is being sent: how long it may be, how long it may take, how many bytes of all messages
//! together are held in memory, and what becomes of the rest of one that is refused.

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
        error::RequestError,
        head::{Method, Protocol, RequestHead},
    },
};

/// Before each gRPC message: a flag and four bytes of length.
pub(crate) const PREFIX_BYTES: usize = 5;
/// How much of a message that is refused anyway is still read. A caller over HTTP/1.1 sends everything before it listens:
/// with the connection closed on it, it would see a broken pipe and not our answer. Over HTTP/2 some who call in plain HTTP
/// (curl 7.88) show no answer whose stream is reset behind it.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
/// How long that may take.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);
/// What has to come of a long message of a stream within the upload timeout.
const PROGRESS_BYTES: usize = 16 << 10;

/// What holds for the message of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Longer messages are not even read to say how long they are.
    pub(crate) message_bytes_max: usize,
    /// The limit as callers are told.
    pub(crate) image_bytes_max: u64,
    pub(crate) batch_images_max: u32,
    pub(crate) timeout: Duration,
    /// How long nothing may come between two messages of a stream.
    pub(crate) idle_timeout: Duration,
}

/// A request's body, watched.
struct LimitedBody {
    body: Body,
    head: RequestHead,
    limiter: BodyLimiter,
    reservation: Arc<MemoryReservation>,
    timer: ClientTimer,
    error: Option<BodyError>,
    /// Whether the rest is read of a message that is answered before it has come.
    read_to_end: bool,
    prefix: Vec<u8>,
    received_bytes: usize,
    /// Of a stream: what is still to come of the message that has begun.
    missing_bytes: usize,
    /// Of a stream: what has come of the message since the timer was restarted.
    progress_bytes: usize,
    /// Of a batch.
    counter: BatchCounter,
    state: State,
}

/// Why the messages of a reflection stream ended before their time, as an extension of its request: its service takes any end
/// for the client's.
#[derive(Clone, Default)]
pub(crate) struct BodyError(Arc<OnceLock<ReportedError>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Too long, or of too many images: the rest is read, but not kept.
    Discarding,
    Ended,
}

/// What the uploads of all calls share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct BodyLimiter {
    pub(crate) limits: BodyLimits,
    /// One permit for each byte that may be held.
    pub(crate) bytes: Arc<Semaphore>,
    pub(crate) reporter: ErrorReporter,
    pub(crate) metrics: Metrics,
}

/// Watches over the message of a call, from here on inwards.
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
    // So long the call holds its message, in whatever form.
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
            // The first error ends the body: there is no second one.
            let _ = first.0.set(error.clone());
        }
        Poll::Ready(Some(Err(error.into())))
    }

    /// Whether nothing of a message is missing: the client may have nothing to say.
    fn is_between_messages(&self) -> bool {
        is_stream(self.head.method) && self.missing_bytes == 0
    }

    /// How long is waited for the message, or in a stream for progress.
    fn timeout(&self) -> Duration {
        let limits = &self.limiter.limits;
        if self.is_between_messages() {
            limits.idle_timeout
        } else {
            limits.timeout
        }
    }

    /// Takes `data` in, which may end one message of a stream and begin others. Each may be as long as the one of another
    /// call.
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
                // What describes the server is answered at once.
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
            Method::ClassifyStream => self.hold(data.len()),
            _ => Ok(()),
        }
    }

    fn hold(&self, bytes: usize) -> Result<(), RequestError> {
        self.reservation.reserve(bytes)
    }

    /// Takes `data` in, unless its message is too long.
    fn receive(&mut self, data: &Bytes) -> Result<(), RequestError> {
        if is_stream(self.head.method) {
            return self.receive_stream(data);
        }
        self.received_bytes += data.len();
        if self.state == State::Discarding {
            return Ok(());
        }
        let missing = PREFIX_BYTES - self.prefix.len();
        self.prefix.extend(data.iter().take(missing));
        let too_long =
            self.declared_bytes().max(self.received_bytes) > self.limiter.limits.message_bytes_max;
        if too_long || self.has_too_many_images(&data[missing.min(data.len())..]) {
            self.state = State::Discarding;
            return Ok(());
        }
        self.hold(data.len())
    }

    /// Whether a batch has too many images with those in `data`. Compressed ones are counted once they are decompressed.
    fn has_too_many_images(&mut self, data: &[u8]) -> bool {
        let is_batch = self.head.method == Method::ClassifyBatch && self.prefix.first() == Some(&0);
        is_batch && self.counter.count(data) > self.limiter.limits.batch_images_max as usize
    }

    /// Why the message is discarded.
    fn excess(&mut self) -> RequestError {
        let limits = self.limiter.limits;
        let (images, images_max) = (self.counter.count(&[]), limits.batch_images_max);
        if images > images_max as usize {
            return RequestError::BatchSize { images, images_max };
        }
        RequestError::MessageTooLarge {
            bytes_max: limits.image_bytes_max,
        }
    }

    /// How long the message says it is; zero until it has said so, and in plain HTTP, where it has no prefix.
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

/// Whether messages may follow each other for as long as the client likes.
fn is_stream(method: Method) -> bool {
    matches!(method, Method::ClassifyStream | Method::Reflection)
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
            if this.state == State::Ended {
                return Poll::Ready(None);
            }
            let too_long = this.state == State::Discarding;
            let frame = if too_long && this.received_bytes > DISCARDED_BYTES_MAX {
                None
            } else {
                // The body first: what has come is not late because it was not read before.
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
                    if this.state == State::Reading {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Some(Err(error)) => {
                    this.state = State::Ended;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None if too_long => {
                    this.state = State::Ended;
                    let excess = this.excess();
                    return this.fail(&excess);
                }
                None => {
                    this.state = State::Ended;
                    if this.head.method == Method::Classify {
                        let time = this.head.arrived_at.elapsed();
                        this.limiter.metrics.observe(Stage::Upload, time);
                    }
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for LimitedBody {
    /// Answered before it was read: the caller must be able to finish sending, to see the answer.
    fn drop(&mut self) {
        if self.read_to_end
            && self.state != State::Ended
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
