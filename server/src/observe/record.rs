use std::{
    mem,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Code;
use tracing::{Instrument, Span};

use crate::{
    observe::{
        error_reporter::ErrorReporter,
        metrics::{Metrics, Stage},
        trace,
    },
    request::{
        client_left::ClientLeft,
        error::{ACCEPT_ENCODING, InternalError, RequestError},
        head::RequestHead,
    },
};

/// The header or trailer with the status of a gRPC call.
const GRPC_STATUS: &str = "grpc-status";

/// Counts and traces each request with its status, which may come at the end of the response. A panic becomes an error like
/// any other.
pub(crate) async fn record(
    State((reporter, metrics)): State<(ErrorReporter, Metrics)>,
    request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let client_left = ClientLeft::from_extensions(request.extensions());
    let span = trace::request_span(&head, request.headers());
    let mut outcome = Outcome {
        span: span.clone(),
        metrics,
        head,
        is_recorded: false,
    };
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = answering.instrument(span.clone()).await;
    let response = response.unwrap_or_else(|_| {
        outcome.metrics.panics.inc();
        reporter.reject(
            &outcome.head,
            &RequestError::Internal(InternalError::HandlerPanicked),
        )
    });
    if client_left.is_set() {
        outcome.record(Code::Cancelled);
        return response;
    }
    let response = match error_of_tonic(&response) {
        Some(error) => reporter.reject(&outcome.head, &error),
        None => response,
    };
    if let Some(code) = response.headers().get(GRPC_STATUS) {
        outcome.record(Code::from_bytes(code.as_bytes()));
        return response;
    }
    outcome.observe_total();
    response.map(|body| {
        Body::new(RecordedBody {
            body,
            span,
            outcome,
        })
    })
}

/// The outcome of a request. Its client has left if it is dropped before it is recorded.
struct Outcome {
    span: Span,
    metrics: Metrics,
    head: RequestHead,
    is_recorded: bool,
}

impl Outcome {
    fn observe_total(&self) {
        if self.head.method.has_one_image() {
            let total = self.head.arrived_at.elapsed();
            self.metrics.observe(Stage::Total, total);
        }
    }

    /// Only the first code counts.
    fn record(&mut self, code: Code) {
        if mem::replace(&mut self.is_recorded, true) {
            return;
        }
        trace::record(&self.span, code);
        self.metrics
            .answered(self.head.method, self.head.protocol, code);
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.record(Code::Cancelled);
    }
}

/// A response whose status is known at its end. What it computes on the way belongs to the span of its request.
struct RecordedBody {
    body: Body,
    span: Span,
    outcome: Outcome,
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = this
            .span
            .in_scope(|| Pin::new(&mut this.body).poll_frame(context));
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let code = frame
                    .trailers_ref()
                    .and_then(|trailers| trailers.get(GRPC_STATUS));
                if let Some(code) = code {
                    this.outcome.record(Code::from_bytes(code.as_bytes()));
                } else if this.body.is_end_stream() {
                    this.outcome.record(Code::Ok);
                }
            }
            Poll::Ready(Some(Err(_))) => this.outcome.record(Code::Internal),
            Poll::Ready(None) => this.outcome.record(Code::Ok),
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RecordedBody {
    /// Records a cancellation if the client left, and success if the connection knew that nothing more would come.
    fn drop(&mut self) {
        let code = if self.body.is_end_stream() {
            Code::Ok
        } else {
            Code::Cancelled
        };
        let span = self.span.clone();
        span.in_scope(|| {
            self.body = Body::empty();
            self.outcome.record(code);
        });
    }
}

/// The error behind a rejection by tonic itself: by its codec, which could not read the message, or by its router. Neither
/// adds details; our own rejections always have some.
fn error_of_tonic(response: &Response) -> Option<RequestError> {
    const HELP: &str = "server reflection lists the methods";
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    match Code::from_bytes(headers.get(GRPC_STATUS)?.as_bytes()) {
        Code::Internal | Code::OutOfRange => Some(RequestError::MessageMalformed),
        Code::Unimplemented if headers.contains_key(ACCEPT_ENCODING) => {
            Some(RequestError::MessageCompressed)
        }
        Code::Unimplemented => Some(RequestError::UnknownMethod { help: HELP }),
        _ => None,
    }
}
