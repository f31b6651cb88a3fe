use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;
use tokio::time::timeout;
use tonic::Code;

use crate::{request_id::RequestId, status::Failure, telemetry::log_failure};

/// How much of a message that is refused anyway is still read. A caller over HTTP/1.1 sends everything before it listens:
/// with the connection closed on it, it would see a broken pipe and not our answer.
const DRAIN_BYTES_MAX: usize = 64 << 20;
/// How long that may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What a message may be long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageLimit {
    /// As the decoder of messages enforces it.
    pub(crate) message_bytes_max: usize,
    /// As the answer says it.
    pub(crate) image_bytes_max: u64,
}

/// Refuses messages that are longer than the decoder takes, in the words of every other refusal.
pub(crate) async fn refuse(
    State(limit): State<MessageLimit>,
    request: Request,
    next: Next,
) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
    let id = request.extensions().get::<RequestId>().cloned();
    let response = if declared_bytes(request.headers()) > Some(limit.message_bytes_max) {
        drain(request.into_body()).await;
        None
    } else {
        let response = next.run(request).await;
        // The decoder's own word for it, which nothing else here uses.
        (!says_out_of_range(response.headers())).then_some(response)
    };
    response.unwrap_or_else(|| {
        let failure = Failure::MessageTooLarge {
            bytes_max: limit.image_bytes_max,
        };
        let id = id.as_ref().map_or("", RequestId::as_str);
        log_failure(id, &failure);
        let mut response = failure.status(id).into_http();
        if let Some(content_type) = content_type {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
        }
        response
    })
}

fn declared_bytes(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn says_out_of_range(headers: &HeaderMap) -> bool {
    let code = headers.get("grpc-status").map(HeaderValue::as_bytes);
    code.is_some_and(|code| Code::from_bytes(code) == Code::OutOfRange)
}

async fn drain(mut body: Body) {
    let mut drained_bytes = 0;
    let draining = async {
        while let Some(Ok(frame)) = body.frame().await {
            drained_bytes += frame.data_ref().map_or(0, bytes::Bytes::len);
            if drained_bytes > DRAIN_BYTES_MAX {
                return;
            }
        }
    };
    // Too slow is as good as too long: the answer goes out now.
    let _ = timeout(DRAIN_TIMEOUT, draining).await;
}
