mod xhr;

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::{Ready, ready};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, combinators::WithTrailers};
use send_wrapper::SendWrapper;
use tonic::{Status, body::Body};
use tower_service::Service;
use web_sys::Blob;

use super::{ChannelError, frames};
use crate::UploadWatch;

const MEDIA_TYPE: &str = "application/grpc-web+proto";

/// gRPC-Web over XMLHttpRequest, which reports upload progress; `fetch` does not. Dropping a call aborts its request.
/// Responses are read as a whole: the messages of a streaming call arrive together, at its end.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    server_url: String,
}

/// A message that the browser puts together out of files. It is sent in place of the one that tonic encodes.
#[derive(Clone)]
pub(crate) struct FramedBlob(pub(crate) SendWrapper<Blob>);

type AnswerBody = WithTrailers<Full<Bytes>, Ready<Option<Result<HeaderMap, Infallible>>>>;

/// No server answered, or one that does not speak gRPC did. The browser does not say which, or why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("no answer")]
    Unreachable(#[from] xhr::Unreachable),
    #[error("the answer is not from a gRPC server")]
    Foreign,
    #[error(transparent)]
    Malformed(#[from] frames::Malformed),
}

/// The browser connects on each call, and checks the URL then.
#[allow(
    clippy::unnecessary_wraps,
    reason = "same signature as the native transport"
)]
pub(crate) fn channel(server_url: &str) -> Result<Channel, ChannelError> {
    let server_url = server_url.trim_end_matches('/').to_owned();
    Ok(Channel { server_url })
}

/// Whether no server answered, or one that does not speak gRPC did, which tonic reports as UNKNOWN.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(|source| source.is::<TransportError>())
}

impl Service<Request<Body>> for Channel {
    type Response = Response<AnswerBody>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let url = format!("{}{}", self.server_url, request.uri().path());
        Box::pin(call(url, request))
    }
}

async fn call(url: String, request: Request<Body>) -> Result<Response<AnswerBody>, TransportError> {
    let (head, body) = request.into_parts();
    let watch = head.extensions.get::<UploadWatch>().cloned();
    let message = match head.extensions.get::<FramedBlob>() {
        Some(FramedBlob(blob)) => xhr::Message::Blob((**blob).clone()),
        // tonic has framed the message already. It is in memory, so that collecting it cannot fail.
        None => {
            let message = body.collect().await.map_err(|_| xhr::Unreachable)?;
            xhr::Message::Bytes(message.to_bytes())
        }
    };
    let mut headers = head.headers;
    headers.remove("te"); // browsers forbid it
    for (name, value) in [
        ("content-type", MEDIA_TYPE),
        ("accept", MEDIA_TYPE),
        ("x-grpc-web", "1"),
    ] {
        headers.insert(name, value.parse().expect("these are header values"));
    }
    let reply = xhr::post(&url, &headers, &message, watch).await?;
    answer(reply)
}

fn answer(reply: xhr::Reply) -> Result<Response<AnswerBody>, TransportError> {
    let is_grpc = |headers: &HeaderMap| {
        let media_type = headers.get("content-type")?.to_str().ok()?;
        Some(media_type.starts_with("application/grpc"))
    };
    if is_grpc(&reply.headers) != Some(true) {
        return Err(TransportError::Foreign);
    }
    let parsed = frames::Answer::parse(&reply.body)?;
    let trailers = ready(parsed.trailers.map(Ok));
    let mut response = Response::new(Full::new(parsed.messages).with_trailers(trailers));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}
