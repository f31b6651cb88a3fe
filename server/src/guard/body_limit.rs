//! Enforces the limits on a request's message while it is received: what it may hold, how long it may take, and the memory that
//! all messages together hold.

use std::{
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use axum::{
    BoxError,
    body::Body,
    extract::{Request, State as Shared},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http::Extensions;
use http_body::{Body as HttpBody, Frame};
use tokio::sync::Semaphore;
use tonic::Status;

use crate::{
    body_guard::hold_until_end,
    guard::{
        client_timer::ClientTimer,
        memory_reservation::MemoryReservation,
        message_meter::{BodyLimits, MessageMeter, Progress, Rejection},
        upload::DISCARDED_BYTES_MAX,
    },
    observe::{
        error_reporter::{ErrorReporter, ReportedError},
        metrics::{Metrics, Stage},
    },
    request::{
        client_left::ClientLeft,
        error::RequestError,
        head::{Method, Protocol, RequestHead},
    },
};

/// A request's body with its limits enforced.
struct LimitedBody {
    body: Body,
    head: RequestHead,
    limiter: BodyLimiter,
    meter: MessageMeter,
    timer: ClientTimer,
    error: Option<BodyError>,
    client_left: ClientLeft,
    state: State,
}

/// Why the messages of a reflection stream ended early, as an extension of its request: the reflection service takes every
/// end of the stream for the client's.
#[derive(Clone, Default)]
pub(crate) struct BodyError(Arc<OnceLock<ReportedError>>);

enum State {
    Reading,
    /// What precedes this error has been handed on.
    Failing(RequestError),
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
    let client_left = ClientLeft::from_extensions(request.extensions());
    let method = head.method;
    let error = (method == Method::Reflection).then(BodyError::default);
    let limited = |body| {
        let mut limited =
            LimitedBody::new(body, client_left, head, limiter, Arc::clone(&reservation));
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
        client_left: ClientLeft,
        head: RequestHead,
        limiter: BodyLimiter,
        reservation: Arc<MemoryReservation>,
    ) -> Self {
        let meter = MessageMeter::new(&head, limiter.limits, reservation);
        Self {
            body,
            head,
            timer: ClientTimer::new(meter.timeout()),
            error: None,
            limiter,
            meter,
            client_left,
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

    /// Accounts for the data of `frame`, and starts discarding if its message is rejected. Returns the part to hand on.
    fn receive(&mut self, frame: Frame<Bytes>) -> Result<Option<Frame<Bytes>>, RequestError> {
        let Some(data) = frame.data_ref() else {
            let reading = matches!(self.state, State::Reading);
            return Ok(reading.then_some(frame));
        };
        if matches!(self.state, State::Discarding(_)) {
            self.meter.discard(data.len());
            return Ok(None);
        }
        match self.meter.receive(data) {
            Ok(Progress::Made) => self.timer.restart(self.meter.timeout()),
            Ok(Progress::TooLittle) => {}
            Err(Rejection::AtEnd(error)) => {
                self.state = State::Discarding(error);
                return Ok(None);
            }
            Err(Rejection::Now(error) | Rejection::After(0, error)) => return Err(error),
            Err(Rejection::After(bytes, error)) => {
                let valid = data.slice(..bytes);
                self.state = State::Failing(error);
                return Ok(Some(Frame::data(valid)));
            }
        }
        Ok(Some(frame))
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
            match mem::replace(&mut this.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Failing(error) => return this.fail(&error),
                state => this.state = state,
            }
            let discarding = matches!(this.state, State::Discarding(_));
            let frame = if discarding && this.meter.received_bytes() > DISCARDED_BYTES_MAX {
                None
            } else {
                // The body first: data that has arrived is not late just because it had not been read.
                match Pin::new(&mut this.body).poll_frame(context) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        ready!(this.timer.poll_waiting(context));
                        this.state = State::Ended;
                        let timeout = this.meter.timeout();
                        return this.fail(&if this.meter.is_between_messages() {
                            RequestError::StreamIdle { timeout }
                        } else {
                            RequestError::UploadTooSlow { timeout }
                        });
                    }
                }
            };
            this.timer.pause();
            match frame {
                Some(Ok(frame)) => match this.receive(frame) {
                    Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                    Ok(None) => {}
                    Err(error) => return this.fail(&error),
                },
                Some(Err(error)) => {
                    this.state = State::Ended;
                    // tonic would take a cancellation for the end of the messages.
                    let is_http = this.head.protocol == Protocol::Http;
                    let error = if is_http && this.client_left.is_set() {
                        this.limiter.reporter.client_left(&this.head).into()
                    } else {
                        error.into()
                    };
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    let state = mem::replace(&mut this.state, State::Ended);
                    if let State::Discarding(error) = state {
                        return this.fail(&error);
                    }
                    if let Err(error) = this.meter.end() {
                        return this.fail(&error);
                    }
                    if this.head.method.has_one_image() {
                        let time = this.head.arrived_at.elapsed();
                        this.limiter.metrics.observe(Stage::Upload, time);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
