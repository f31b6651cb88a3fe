use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{Router, middleware};
use futures_util::stream;
use http::StatusCode;
use tokio::sync::oneshot;

use super::*;
use crate::guard::fixture::{self, LIMITS, PASSED, answer, passing};

/// Bytes that all requests together may hold.
const TOTAL_BYTES: usize = 1 << 20;
const FRAME_BYTES: usize = 1 << 20;

fn layered(service: Router, bytes: &Arc<Semaphore>) -> Router {
    let limiter = BodyLimiter {
        limits: LIMITS,
        bytes: Arc::clone(bytes),
        reporter: fixture::reporter(),
        metrics: fixture::metrics(),
    };
    service.layer(middleware::from_fn_with_state(limiter, watch))
}

fn total() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(TOTAL_BYTES))
}

/// A service that reads the whole message.
fn reading() -> Router {
    Router::new().fallback(
        async |request: Request| match request.into_body().collect().await {
            Ok(_) => PASSED,
            Err(_) => StatusCode::BAD_REQUEST,
        },
    )
}

/// A body whose frames are counted when they are read.
struct Counted {
    body: Body,
    read: Arc<AtomicUsize>,
    /// Closed when the body is dropped.
    dropped: oneshot::Receiver<Infallible>,
}

impl Counted {
    fn new(frames: usize) -> Self {
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

/// Frames read of a message of `frames`, once nothing reads it any longer.
async fn frames_read(
    service: Router,
    version: Version,
    protocol: Protocol,
    frames: usize,
    expected: StatusCode,
) -> usize {
    let Counted {
        body,
        read,
        dropped,
    } = Counted::new(frames);
    let mut request = fixture::request(protocol, Method::Classify, &[], body);
    *request.version_mut() = version;
    let response = answer(layered(service, &total()), request).await;
    assert_eq!(response.status(), expected);
    let ended = timeout(Duration::from_secs(10), dropped).await;
    assert!(ended.is_ok_and(|dropped| dropped.is_err()), "still read");
    read.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_rejected_message_is_read_to_its_end_or_64_mib() {
    // The last frame is the one that exceeds the limit.
    for (frames, expected) in [(3, 3), (100, 65)] {
        let (version, protocol) = (Version::HTTP_11, Protocol::Http);
        let rejected = StatusCode::BAD_REQUEST;
        let read = frames_read(reading(), version, protocol, frames, rejected).await;
        assert_eq!(read, expected, "of {frames}");
    }
}

#[tokio::test]
async fn after_an_early_answer_the_rest_is_read_if_the_client_needs_that() {
    for (version, protocol, reads) in [
        (Version::HTTP_11, Protocol::Http, true),
        (Version::HTTP_11, Protocol::GrpcWeb, true),
        (Version::HTTP_2, Protocol::Http, true),
        (Version::HTTP_2, Protocol::GrpcWeb, false),
        (Version::HTTP_2, Protocol::Grpc, false),
    ] {
        for (frames, most) in [(3, 3), (100, 65)] {
            let read = frames_read(passing(), version, protocol, frames, PASSED).await;
            let expected = if reads { most } else { 0 };
            assert_eq!(read, expected, "{version:?}, {protocol:?}, {frames}");
        }
    }
}

#[tokio::test]
async fn requests_with_several_images_hold_their_messages_until_the_response_ends() {
    let message = [&[0, 0, 0, 0, 100][..], &[0; 100]].concat();
    for (method, held_bytes) in [
        (Method::Classify, 0),
        (Method::ClassifyBatch, message.len()),
        (Method::ClassifyStream, message.len()),
    ] {
        let bytes = total();
        let body = Body::from(message.clone());
        let request = fixture::request(Protocol::Grpc, method, &[], body);
        let response = answer(layered(reading(), &bytes), request).await;
        assert_eq!(response.status(), PASSED, "{method:?}");
        let held = TOTAL_BYTES - bytes.available_permits();
        assert_eq!(held, held_bytes, "{method:?}");
        drop(response);
        assert_eq!(bytes.available_permits(), TOTAL_BYTES, "{method:?}");
    }
}
