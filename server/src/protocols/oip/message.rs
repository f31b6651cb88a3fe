use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use imageclassifier_proto::inference::ModelInferRequest;
use prost::Message;

use crate::{
    engine::offload::Offload,
    guard::body_limit::{BodyLimits, PREFIX_BYTES},
    observe::error_reporter::{ErrorReporter, ReportedError},
    protocols::oip::element_count::ElementCount,
    request::{
        error::RequestError,
        head::{Method, Protocol, RequestHead},
    },
};

/// Longer messages are decoded away from the runtime: millions of numbers would hold up every other connection.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// A message that has already been decoded, as an extension of its request.
#[derive(Clone)]
struct Decoded(Arc<Mutex<ModelInferRequest>>);

/// Checks the number of elements in the gRPC messages of ModelInfer, and decodes the long messages. tonic would do so on a runtime
/// thread; it gets an empty message instead.
pub(crate) async fn decode(
    State((limits, offload, reporter)): State<(BodyLimits, Offload, ErrorReporter)>,
    request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    if head.method != Method::ModelInfer || head.protocol == Protocol::Http {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            return match ReportedError::find(&error) {
                Some(error) => error.clone().into_response(),
                None => reporter.reject(&head, &RequestError::MessageMalformed),
            };
        }
    };
    let body = match message(&body) {
        None => body,
        Some(message) if body.len() > INLINE_BYTES_MAX => {
            let decoded = offload
                .run(move || {
                    check(&message, limits)?;
                    ModelInferRequest::decode(message).map_err(|_| RequestError::MessageMalformed)
                })
                .await;
            match decoded.and_then(|decoded| decoded) {
                Ok(decoded) => parts
                    .extensions
                    .insert(Decoded(Arc::new(Mutex::new(decoded)))),
                Err(error) => return reporter.reject(&head, &error),
            };
            Bytes::from_static(&[0; PREFIX_BYTES])
        }
        Some(message) => {
            if let Err(error) = check(&message, limits) {
                return reporter.reject(&head, &error);
            }
            body
        }
    };
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// The message of a request: the decoded one, if it was long.
pub(super) fn take(request: tonic::Request<ModelInferRequest>) -> ModelInferRequest {
    match request.extensions().get() {
        Some(Decoded(decoded)) => {
            let mut decoded = decoded.lock().unwrap_or_else(PoisonError::into_inner);
            mem::take(&mut *decoded)
        }
        None => request.into_inner(),
    }
}

fn check(message: &[u8], limits: BodyLimits) -> Result<(), RequestError> {
    let count = ElementCount::of(message).map_err(|_| RequestError::MessageMalformed)?;
    count.check(limits.batch_images_max)
}

/// The single message in `body`, if it is uncompressed.
fn message(body: &Bytes) -> Option<Bytes> {
    let [0, length @ ..] = *body.first_chunk::<PREFIX_BYTES>()? else {
        return None;
    };
    let message = body.slice(PREFIX_BYTES..);
    (message.len() == u32::from_be_bytes(length) as usize).then_some(message)
}
