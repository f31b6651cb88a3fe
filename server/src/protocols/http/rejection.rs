use axum::response::Response;

use crate::{
    observe::error_reporter::{ErrorReporter, ReportedError},
    request::{error::RequestError, head::RequestHead},
};

/// Why a request is rejected.
pub(super) enum Rejection {
    /// Not yet logged and counted.
    Error(RequestError),
    /// From the limit on request bodies, which has logged and counted it.
    Body(ReportedError),
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
            Self::Body(error) => error.into_response(),
        }
    }
}
