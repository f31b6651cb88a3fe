use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::sync::Semaphore;

use crate::{
    body_guard::hold_until_end,
    engine::Engine,
    guard::{deadline::Deadline, long_lived::LongLived},
    observe::{error_reporter::ErrorReporter, metrics::Metrics},
    request::{
        error::RequestError,
        head::{Method, RequestHead},
    },
};

/// Limits that all requests of the server share, so that more connections do not get around them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admission {
    pub(crate) engine: Engine,
    pub(crate) reporter: ErrorReporter,
    /// One permit per request to classify.
    pub(crate) requests: Arc<Semaphore>,
    /// One for each stream of images: streams may stay open for long.
    pub(crate) open_streams: Arc<Semaphore>,
    /// One for each request that has no image, until its answer has been taken.
    pub(crate) other_requests: Arc<Semaphore>,
    /// Health watches and reflection streams.
    pub(crate) long_lived: LongLived,
}

/// When to try again if every permit is held by requests that have yet to send their images.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Accepts or rejects a request before its message is read.
pub(crate) async fn admit(
    State(admission): State<Admission>,
    request: Request,
    next: Next,
) -> Response {
    let Admission {
        engine,
        reporter,
        requests,
        open_streams,
        other_requests,
        long_lived,
    } = admission;
    let head = RequestHead::from_extensions(request.extensions());
    let places = match head.method {
        Method::Classify
        | Method::ClassifyBatch
        | Method::Embed
        | Method::Feedback
        | Method::ModelInfer => requests,
        Method::ClassifyStream => open_streams,
        Method::GetModel
        | Method::ListModels
        | Method::PublishModel
        | Method::OipMetadata
        | Method::OipRepository
        | Method::Unknown => other_requests,
        Method::Health | Method::OipHealth | Method::Reflection => {
            return long_lived.answer(head, request, next).await;
        }
    };
    let Ok(place) = places.try_acquire_owned() else {
        let retry_delay = RETRY_DELAY;
        return reporter.reject(&head, &RequestError::Overloaded { retry_delay });
    };
    if !head.method.infers() {
        return hold_until_end(next.run(request).await, place);
    }
    let Deadline(deadline) = Deadline::from_extensions(request.extensions());
    if let Err(error) = engine.admit(deadline) {
        return reporter.reject(&head, &error);
    }
    let in_flight = InFlight::begin(engine.metrics().clone());
    hold_until_end(next.run(request).await, (place, in_flight))
}

/// Counts a request for as long as it lives, however it ends.
struct InFlight(Metrics);

impl InFlight {
    fn begin(metrics: Metrics) -> Self {
        metrics.calls_in_flight.inc();
        Self(metrics)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.calls_in_flight.dec();
    }
}
