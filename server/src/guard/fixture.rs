//! Requests, limits and what layers share, for their unit tests.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::Request, response::Response};
use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::{
    guard::{memory_reservation::MemoryReservation, message_meter::BodyLimits},
    observe::{error_reporter::ErrorReporter, metrics::Metrics},
    request::{
        head::{Method, Protocol, RequestHead},
        request_id::RequestId,
    },
};

pub(super) const LIMITS: BodyLimits = BodyLimits {
    message_bytes_max: 200_000,
    image_bytes_max: 100_000,
    batch_images_max: 3,
    timeout: Duration::from_secs(10),
    idle_timeout: Duration::from_secs(20),
};

/// What [`passing`] answers.
pub(super) const PASSED: StatusCode = StatusCode::NO_CONTENT;

pub(super) fn metrics() -> Metrics {
    Metrics::new("model", "revision")
}

pub(super) fn reporter() -> ErrorReporter {
    ErrorReporter::new(metrics())
}

/// A reservation out of `total` bytes.
pub(super) fn reservation(total: &Arc<Semaphore>) -> Arc<MemoryReservation> {
    Arc::new(MemoryReservation::new(Arc::clone(total), metrics()))
}

pub(super) fn head(protocol: Protocol, method: Method) -> RequestHead {
    RequestHead {
        id: RequestId::from_headers(&HeaderMap::new()),
        method,
        protocol,
        arrived_at: Instant::now(),
        client: None,
    }
}

/// A request whose head has been read.
pub(super) fn request(
    protocol: Protocol,
    method: Method,
    headers: &[(&'static str, &str)],
    body: Body,
) -> Request {
    let mut request = Request::new(body);
    request.extensions_mut().insert(head(protocol, method));
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, value.parse().expect("a header"));
    }
    request
}

/// A service that answers each request, to be surrounded by a layer.
pub(super) fn passing() -> Router {
    Router::new().fallback(|| async { PASSED })
}

pub(super) async fn answer(service: Router, request: Request) -> Response {
    let answered = service.oneshot(request).await;
    answered.unwrap_or_else(|never| match never {})
}
