use std::{error::Error, fmt};

use axum::{body::Body, response::Response};
use tonic::Status;
use tonic_types::pb;

use crate::{
    observe::{logging::log_error, metrics::Metrics},
    request::{error::RequestError, head::RequestHead},
};

/// The one place where errors are logged, counted and turned into a status, each error once. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ErrorReporter(Metrics);

impl ErrorReporter {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self(metrics)
    }

    /// The status for tonic.
    pub(crate) fn status(&self, head: &RequestHead, error: &RequestError) -> Status {
        self.report(head, error);
        error.status(head.id.as_str())
    }

    /// The status of one image of several.
    pub(crate) fn rpc_status(&self, head: &RequestHead, error: &RequestError) -> pb::Status {
        self.report(head, error);
        error.rpc_status(head.id.as_str())
    }

    /// The whole response. Plain HTTP finds the error among its extensions.
    pub(crate) fn reject(&self, head: &RequestHead, error: &RequestError) -> Response {
        self.body_error(head, error.clone()).into_response()
    }

    /// The error that ends a request body.
    pub(crate) fn body_error(&self, head: &RequestHead, error: RequestError) -> ReportedError {
        let status = self.status(head, &error);
        ReportedError { error, status }
    }

    /// The error that ends the body of a client that has left. Its request counts as cancelled, so this is neither logged nor counted.
    pub(crate) fn client_left(&self, head: &RequestHead) -> ReportedError {
        let error = RequestError::ClientLeft;
        let status = error.status(head.id.as_str());
        ReportedError { error, status }
    }

    fn report(&self, head: &RequestHead, error: &RequestError) {
        log_error(head.id.as_str(), head.client, error);
        self.0.count_error(error.reason().as_str_name());
    }
}

/// An error that has been logged and counted.
#[derive(Clone, Debug)]
pub(crate) struct ReportedError {
    error: RequestError,
    status: Status,
}

impl ReportedError {
    /// The reported error among the causes of `error`.
    pub(crate) fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }

    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = self.status.into_http::<Body>();
        response.extensions_mut().insert(self.error);
        response
    }
}

impl fmt::Display for ReportedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

/// tonic looks for its status among the causes.
impl Error for ReportedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.status)
    }
}
