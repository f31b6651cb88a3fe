use axum::{body::Body, response::Response};
use tonic::Status;

use crate::{
    observe::error_reporter::ErrorReporter,
    request::{error::RequestError, head::RequestHead},
};

/// Why a call gets no answer.
pub(super) enum Rejection {
    /// Yet to be logged and counted.
    Error(RequestError),
    /// By the limit on request bodies, which has logged and counted it.
    Body(Status),
}

impl From<RequestError> for Rejection {
    fn from(error: RequestError) -> Self {
        Self::Error(error)
    }
}

impl Rejection {
    pub(super) fn into_response(self, reporter: &ErrorReporter, head: &RequestHead) -> Response {
        match self {
            Self::Error(error) => reporter.reject(head, &error),
            Self::Body(status) => status.into_http::<Body>(),
        }
    }
}
