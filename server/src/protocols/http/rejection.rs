use axum::{body::Body, response::Response};
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::{
    observe::error_reporter::{ErrorReporter, ReportedError},
    request::{error::RequestError, head::RequestHead},
};

/// Why a request is rejected.
pub(crate) enum Rejection {
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
    pub(crate) fn into_response(self, reporter: &ErrorReporter, head: &RequestHead) -> Response {
        match self {
            Self::Error(error) => reporter.reject(head, &error),
            Self::Body(error) => error.into_response(),
        }
    }
}

/// The whole body of a request.
pub(crate) async fn read_body(body: Body) -> Result<Bytes, Rejection> {
    let body = body.collect().await;
    let body = body.map_err(|error| rejection_of_upload(error.into_inner()))?;
    Ok(body.to_bytes())
}

/// The error of an upload that was rejected while it was sent, or cut off on its way.
pub(super) fn rejection_of_upload(error: axum::BoxError) -> Rejection {
    match ReportedError::find(&*error) {
        Some(error) => Rejection::Body(error.clone()),
        None => RequestError::MessageMalformed.into(),
    }
}
