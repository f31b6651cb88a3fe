//! The message of a call while it is being sent: how long it may be, how long it may take, how many bytes of all messages
//! together are held in memory, and what becomes of the rest of one that is refused.

use std::{
    collections::VecDeque,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
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
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, Sleep, sleep, timeout},
};

use crate::{
    body_guard::hold_until_end,
    observe::{
        error_reporter::ErrorReporter,
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

/// What holds for the message of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Longer messages are not even read to say how long they are.
    pub(crate) message_bytes_max: usize,
    /// The limit as callers are told.
    pub(crate) image_bytes_max: u64,
    pub(crate) timeout: Duration,
    /// How long nothing may come between two messages of a stream.
    pub(crate) idle_timeout: Duration,
}

/// Bytes of one call's messages that are held in memory, out of what all calls together may hold. Given back when the last
/// one is gone who has a hand on it.
pub(crate) struct MemoryReservation {
    taken: AtomicU32,
    /// Of a stream.
    messages: Mutex<Messages>,
    total: Arc<Semaphore>,
    metrics: Metrics,
}

/// The messages of a stream that have begun and that nobody has taken up yet.
#[derive(Default)]
struct Messages {
    /// How many have been taken up before them.
    taken_up: u64,
    bytes: VecDeque<usize>,
}

/// A request's body, watched.
struct LimitedBody {
    body: Body,
    head: RequestHead,
    limiter: BodyLimiter,
    reservation: Arc<MemoryReservation>,
    timer: Pin<Box<Sleep>>,
    /// Whether the rest is read of a message that is answered before it has come.
    read_to_end: bool,
    prefix: Vec<u8>,
    received_bytes: usize,
    /// Of a stream: what is still to come of the message that has begun.
    missing_bytes: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Too long: the rest is read, but not kept.
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
    let upload =
        |body| LimitedBody::new(body, read_to_end, head, limiter, Arc::clone(&reservation));
    let mut request = request.map(|body| Body::new(upload(body)));
    request.extensions_mut().insert(Arc::clone(&reservation));
    let response = next.run(request).await;
    // So long the call holds its message, in whatever form.
    match method {
        Method::ClassifyBatch | Method::ClassifyStream => hold_until_end(response, reservation),
        _ => response,
    }
}

impl MemoryReservation {
    fn new(total: Arc<Semaphore>, metrics: Metrics) -> Self {
        Self {
            taken: AtomicU32::new(0),
            messages: Mutex::default(),
            total,
            metrics,
        }
    }

    /// Whether `bytes` more can be held.
    fn take(&self, bytes: u32) -> bool {
        let Ok(permits) = self.total.try_acquire_many(bytes) else {
            return false;
        };
        permits.forget();
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        self.metrics.bytes_in_flight.inc_by(bytes.into());
        true
    }

    /// Of the request that has `extensions`.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Arc<Self> {
        let reservation = extensions.get::<Arc<Self>>();
        Arc::clone(reservation.expect("`watch` lies around every handler"))
    }

    /// # Errors
    /// [`RequestError::Overloaded`] if `bytes` more cannot be held.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<(), RequestError> {
        if u32::try_from(bytes).is_ok_and(|bytes| self.take(bytes)) {
            return Ok(());
        }
        Err(RequestError::Overloaded {
            retry_delay: Duration::from_secs(1),
        })
    }

    /// The message of that index has been decompressed: what it held on the wire is free, and it holds `decoded_bytes`, which
    /// are reserved already.
    pub(crate) fn replace(&self, index: u64, wire_bytes: usize, decoded_bytes: usize) {
        self.give_back(wire_bytes);
        let mut messages = self.messages();
        let place = index.checked_sub(messages.taken_up);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(bytes) = place.and_then(|place| messages.bytes.get_mut(place)) {
            *bytes = decoded_bytes;
        }
    }

    /// A message of a stream has begun, `bytes` long with what stands before it.
    fn announce(&self, bytes: usize) {
        self.messages().bytes.push_back(bytes);
    }

    /// How long the next message of the stream was on the wire, to be given back when it is done with. (What it takes to
    /// encode it anew says nothing: the caller may have written it otherwise.)
    pub(crate) fn next_message_bytes(&self) -> usize {
        let mut messages = self.messages();
        messages.taken_up += 1;
        messages.bytes.pop_front().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).expect("a message of bounded length");
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        self.total.add_permits(bytes as usize);
        self.metrics.bytes_in_flight.dec_by(bytes.into());
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        let taken = *self.taken.get_mut();
        self.total.add_permits(taken as usize);
        self.metrics.bytes_in_flight.dec_by(taken.into());
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
        Self {
            body,
            head,
            timer: Box::pin(sleep(limiter.limits.timeout)),
            limiter,
            reservation,
            read_to_end,
            prefix: Vec::with_capacity(PREFIX_BYTES),
            received_bytes: 0,
            missing_bytes: 0,
            state: State::Reading,
        }
    }

    fn fail(&mut self, error: &RequestError) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let error = self.limiter.reporter.body_error(&self.head, error.clone());
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_stream(&self) -> bool {
        self.head.method == Method::ClassifyStream
    }

    /// How long it may take until the message is there, or the next frame of a stream.
    fn timeout(&self) -> Duration {
        let limits = &self.limiter.limits;
        if self.is_stream() && self.missing_bytes == 0 {
            limits.idle_timeout
        } else {
            limits.timeout
        }
    }

    /// Takes `data` in, which may end one message of a stream and begin others. Each may be as long as the one of another
    /// call.
    fn receive_stream(&mut self, data: &[u8]) -> Result<(), RequestError> {
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
                self.reservation.announce(PREFIX_BYTES + self.missing_bytes);
            }
        }
        let timeout = self.timeout();
        self.timer.as_mut().reset(Instant::now() + timeout);
        self.hold(data.len())
    }

    fn hold(&self, bytes: usize) -> Result<(), RequestError> {
        self.reservation.reserve(bytes)
    }

    /// Takes `data` in, unless its message is too long.
    fn receive(&mut self, data: &Bytes) -> Result<(), RequestError> {
        if self.is_stream() {
            return self.receive_stream(data);
        }
        self.received_bytes += data.len();
        if self.state == State::Discarding {
            return Ok(());
        }
        let missing = PREFIX_BYTES - self.prefix.len();
        self.prefix.extend(data.iter().take(missing));
        if self.declared_bytes().max(self.received_bytes) > self.limiter.limits.message_bytes_max {
            self.state = State::Discarding;
            return Ok(());
        }
        self.hold(data.len())
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
            if this.timer.as_mut().poll(context).is_ready() {
                this.state = State::Ended;
                let timeout = this.timeout();
                let error = if this.is_stream() && this.missing_bytes == 0 {
                    RequestError::StreamIdle { timeout }
                } else {
                    RequestError::UploadTooSlow { timeout }
                };
                return this.fail(&error);
            }
            let too_long = this.state == State::Discarding;
            let frame = if too_long && this.received_bytes > DISCARDED_BYTES_MAX {
                None
            } else {
                ready!(Pin::new(&mut this.body).poll_frame(context))
            };
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
                    return this.fail(&RequestError::MessageTooLarge {
                        bytes_max: this.limiter.limits.image_bytes_max,
                    });
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
