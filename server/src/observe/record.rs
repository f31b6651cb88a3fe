use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tonic::Code;
use tracing::Instrument;

use crate::{
    observe::{
        error_reporter::ErrorReporter,
        metrics::{Metrics, Stage},
        trace,
    },
    request::{
        error::{ACCEPT_ENCODING, InternalError, RequestError},
        head::{Method, RequestHead},
    },
};

/// Counts and traces each call with its answer. A panic becomes an answer like any other.
pub(crate) async fn record(
    State((reporter, metrics)): State<(ErrorReporter, Metrics)>,
    request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let span = trace::request_span(&head, request.headers());
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = answering.instrument(span.clone()).await;
    let response = response.unwrap_or_else(|_| {
        metrics.panics.inc();
        reporter.reject(
            &head,
            &RequestError::Internal(InternalError::HandlerPanicked),
        )
    });
    let response = match error_of_tonic(&response) {
        Some(error) => reporter.reject(&head, &error),
        None => response,
    };
    let code = response.headers().get("grpc-status");
    let code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
    trace::record(&span, code);
    metrics.answered(head.method, head.protocol, code);
    if head.method == Method::Classify && code == Code::Ok {
        metrics.observe(Stage::Total, head.arrived_at.elapsed());
    }
    response
}

/// Why tonic itself has refused the call: its codec, which could not read the message, or its router. Neither gives details;
/// our own refusals always have some.
fn error_of_tonic(response: &Response) -> Option<RequestError> {
    const HELP: &str = "server reflection lists the methods";
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    match Code::from_bytes(headers.get("grpc-status")?.as_bytes()) {
        Code::Internal | Code::OutOfRange => Some(RequestError::MessageMalformed),
        Code::Unimplemented if headers.contains_key(ACCEPT_ENCODING) => {
            Some(RequestError::MessageCompressed)
        }
        Code::Unimplemented => Some(RequestError::UnknownMethod { help: HELP }),
        _ => None,
    }
}
