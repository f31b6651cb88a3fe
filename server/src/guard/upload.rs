//! The body of a request as its connection delivers it. Around everything that may answer before the whole body has arrived.

use std::{
    error::Error,
    io, mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http::{Version, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::{runtime::Handle, time::timeout};

use crate::request::{client_left::ClientLeft, head::Protocol};

/// How much of a body is still read after an early answer. An HTTP/1.1 client sends everything before it listens: if the connection
/// were closed meanwhile, it would see a broken pipe instead of the answer. Over HTTP/2 some plain HTTP clients (curl 7.88) show no
/// answer if its stream is reset afterwards.
pub(super) const DISCARDED_BYTES_MAX: usize = 64 << 20;
/// How long reading the rest may take.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

struct Upload {
    body: Body,
    client_left: ClientLeft,
    /// Whether the rest is read if the answer comes before the end.
    read_to_end: bool,
    /// Whether the client waits for `100 Continue`, which it gets when the body is first polled. Until then it sends nothing.
    waits: bool,
    received_bytes: usize,
    ended: bool,
}

/// Reads the rest of bodies that are answered early, and notes clients that leave.
pub(crate) async fn receive(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let headers = request.headers();
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_rpc = content_type.is_some_and(|it| Protocol::parse_content_type(it).is_some());
    let is_http2 = request.version() >= Version::HTTP_2;
    let waits = headers.contains_key(header::EXPECT);
    let client_left = ClientLeft::default();
    let mut request = request.map(|body| {
        Body::new(Upload {
            body,
            client_left: client_left.clone(),
            read_to_end: !is_http2 || !is_rpc,
            waits,
            received_bytes: 0,
            ended: false,
        })
    });
    request.extensions_mut().insert(client_left);
    next.run(request).await
}

/// Whether a body could not be parsed. Every other error is that of a connection or stream that has ended.
fn is_malformed(error: &axum::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            );
        }
        cause = error.source();
    }
    false
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.waits = false;
        let frame = std::task::ready!(Pin::new(&mut this.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => this.received_bytes += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(error)) => {
                this.ended = true;
                if !is_malformed(error) {
                    this.client_left.set();
                }
            }
            None => this.ended = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.read_to_end
            && !self.waits
            && !self.ended
            && !self.body.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            let rest = discard(mem::take(&mut self.body), self.received_bytes);
            runtime.spawn(timeout(DISCARD_TIMEOUT, rest));
        }
    }
}

async fn discard(mut body: Body, mut received_bytes: usize) {
    while received_bytes <= DISCARDED_BYTES_MAX
        && let Some(Ok(frame)) = body.frame().await
    {
        received_bytes += frame.data_ref().map_or(0, Bytes::len);
    }
}

#[cfg(test)]
mod tests;
