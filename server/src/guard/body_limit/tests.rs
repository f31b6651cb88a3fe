use axum::{Router, middleware};
use http::StatusCode;
use http_body_util::BodyExt;

use super::*;
use crate::guard::fixture::{self, Counted, LIMITS, PASSED, answer};

/// Bytes that all requests together may hold.
const TOTAL_BYTES: usize = 1 << 20;

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

#[tokio::test]
async fn a_rejected_message_is_read_to_its_end_or_64_mib() {
    // The last frame is the one that exceeds the limit.
    for (frames, expected) in [(3, 3), (100, 65)] {
        let (body, read) = Counted::new(frames).split();
        let request = fixture::request(Protocol::Http, Method::Classify, &[], body);
        let response = answer(layered(reading(), &total()), request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(read.await, expected, "of {frames}");
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
