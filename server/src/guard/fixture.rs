//! Requests, limits and what layers share, for their unit tests.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::Request, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
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

/// Bytes of each frame of a [`Counted`] body.
const FRAME_BYTES: usize = 1 << 20;

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

/// A body whose frames are counted when they are read.
pub(super) struct Counted {
    body: Body,
    read: Arc<AtomicUsize>,
    /// Closed when the body is dropped.
    dropped: oneshot::Receiver<Infallible>,
}

impl Counted {
    /// Its body, and how many of its frames will have been read once nothing reads it any longer.
    pub(super) fn split(self) -> (Body, impl Future<Output = usize>) {
        let Self {
            body,
            read,
            dropped,
        } = self;
        let counting = async move {
            let ended = timeout(Duration::from_secs(10), dropped).await;
            assert!(ended.is_ok_and(|dropped| dropped.is_err()), "still read");
            read.load(Ordering::Relaxed)
        };
        (body, counting)
    }

    pub(super) fn new(frames: usize) -> Self {
        let read = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&read);
        let (alive, dropped) = oneshot::channel();
        let frame = Bytes::from(vec![0; FRAME_BYTES]);
        let frames = stream::iter((0..frames).map(move |_| {
            let _ = &alive;
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(frame.clone())
        }));
        Self {
            body: Body::from_stream(frames),
            read,
            dropped,
        }
    }
}
