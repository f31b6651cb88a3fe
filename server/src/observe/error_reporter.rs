use axum::{body::Body, response::Response};
use tonic::Status;

use crate::{
    observe::{logging::log_error, metrics::Metrics},
    request::{error::RequestError, head::RequestHead},
};

/// The one place where a failure is logged, counted and becomes a status, once. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ErrorReporter(Metrics);

impl ErrorReporter {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self(metrics)
    }

    pub(crate) fn status(&self, head: &RequestHead, error: &RequestError) -> Status {
        let id = head.id.as_str();
        log_error(id, error);
        self.0.count_error(error.reason());
        error.status(id)
    }

    /// The status as the whole answer to a call.
    pub(crate) fn reject(&self, head: &RequestHead, error: &RequestError) -> Response {
        self.status(head, error).into_http::<Body>()
    }
}
