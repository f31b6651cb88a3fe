//! Compresses responses for clients that accept it.

use std::io::Write;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use http::{HeaderValue, header};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::{
    engine::offload::Offload,
    guard::message_meter::PREFIX_BYTES,
    request::{
        encoding::{Encoding, GRPC_ENCODING},
        head::{Protocol, RequestHead},
    },
};

/// Shorter messages are not compressed.
const MESSAGE_BYTES_MIN: usize = 1400;
/// Longer messages are compressed on an offload thread.
const INLINE_BYTES_MAX: usize = 16 << 10;

/// Compresses the response in the first way that the client accepts and the server supports.
pub(crate) async fn compress(
    State(offload): State<Offload>,
    request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let encoding = Encoding::parse_accepted(head.protocol, request.headers());
    let response = next.run(request).await;
    match (encoding, head.protocol) {
        (None, _) => response,
        (Some(encoding), Protocol::Http) => compress_body(&offload, response, encoding).await,
        (Some(encoding), _) => compress_messages(offload, response, encoding),
    }
}

/// Compresses a body as a whole, unless it is short or of unknown length.
async fn compress_body(offload: &Offload, response: Response, encoding: Encoding) -> Response {
    let bytes = response.body().size_hint().exact().unwrap_or_default();
    let encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if encoded || bytes < MESSAGE_BYTES_MIN as u64 {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let body = body.collect().await;
    let body = body
        .expect("a body of known length is in memory")
        .to_bytes();
    let compressed = run(offload, body, move |body| compress_bytes(encoding, body)).await;
    head.headers.remove(header::CONTENT_LENGTH);
    let name = HeaderValue::from_static(encoding.name());
    head.headers.insert(header::CONTENT_ENCODING, name);
    let varies = HeaderValue::from_static("accept-encoding");
    head.headers.append(header::VARY, varies);
    Response::from_parts(head, compressed.into())
}

/// Compresses each message of a body, unless it is short.
fn compress_messages(offload: Offload, mut response: Response, encoding: Encoding) -> Response {
    if response.headers().contains_key("grpc-status") {
        return response;
    }
    let name = HeaderValue::from_static(encoding.name());
    response.headers_mut().insert(GRPC_ENCODING, name);
    response.map(|body| {
        Body::new(StreamBody::new(stream::unfold(
            (body, offload),
            move |(mut body, offload)| async move {
                let frame = match body.frame().await? {
                    Ok(frame) => Ok(match frame.into_data() {
                        Ok(messages) => {
                            Frame::data(compress_all(&offload, messages, encoding).await)
                        }
                        Err(trailers) => trailers,
                    }),
                    Err(error) => Err(error),
                };
                Some((frame, (body, offload)))
            },
        )))
    })
}

/// Whole messages, as tonic writes them.
async fn compress_all(offload: &Offload, messages: Bytes, encoding: Encoding) -> Bytes {
    if messages.len() < MESSAGE_BYTES_MIN {
        return messages;
    }
    run(offload, messages, move |messages| {
        let mut compressed = Vec::new();
        let mut rest = messages;
        while let Some((prefix, after)) = rest.split_first_chunk::<PREFIX_BYTES>() {
            let [_, length @ ..] = *prefix;
            let length = u32::from_be_bytes(length) as usize;
            let Some((message, after)) = after.split_at_checked(length) else {
                break;
            };
            if message.len() < MESSAGE_BYTES_MIN {
                compressed.extend_from_slice(prefix);
                compressed.extend_from_slice(message);
            } else {
                let message = compress_bytes(encoding, message);
                let length = u32::try_from(message.len()).expect("hardly longer than before");
                compressed.push(1);
                compressed.extend(length.to_be_bytes());
                compressed.extend(message);
            }
            rest = after;
        }
        compressed.extend_from_slice(rest);
        compressed
    })
    .await
}

/// Runs `work` away from the runtime if it takes long.
async fn run(
    offload: &Offload,
    bytes: Bytes,
    work: impl FnOnce(&[u8]) -> Vec<u8> + Send + 'static,
) -> Bytes {
    if bytes.len() <= INLINE_BYTES_MAX {
        return work(&bytes).into();
    }
    let compressed = offload.run(move || work(&bytes)).await;
    compressed.expect("compression does not panic").into()
}

fn compress_bytes(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
            written.expect("memory takes every byte")
        }
        Encoding::Zstd => compress_to_vec(bytes, CompressionLevel::Fastest),
    }
}
