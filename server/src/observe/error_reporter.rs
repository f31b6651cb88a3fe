use axum::{body::Body, response::Response};
use tonic::Status;

use crate::{
    observe::{logging::log_failure, metrics::Metrics},
    request::{error::Failure, head::Call},
};

/// The one place where a failure is logged, counted and becomes a status, once. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Refusals(Metrics);

impl Refusals {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self(metrics)
    }

    pub(crate) fn status(&self, call: &Call, failure: &Failure) -> Status {
        let id = call.id.as_str();
        log_failure(id, failure);
        self.0.refused(failure.reason());
        failure.status(id)
    }

    /// The status as the whole answer to a call.
    pub(crate) fn refuse(&self, call: &Call, failure: &Failure) -> Response {
        self.status(call, failure).into_http::<Body>()
    }
}
