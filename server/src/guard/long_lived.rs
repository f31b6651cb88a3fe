//! Health watches and reflection streams last for as long as their clients like, and probes need no access token. So this
//! layer bounds how many of them are open, in total and per peer, and how long they stay open.

use std::{
    collections::HashMap,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::time::sleep;
use tonic::Status;

use crate::{
    body_guard::hold_until_end,
    guard::body_limit::BodyError,
    observe::error_reporter::ErrorReporter,
    readiness::Readiness,
    request::{
        error::RequestError,
        head::{Method, RequestHead},
        peer::Peer,
    },
};

/// How many requests without an end of their own may be open, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LongLivedLimits {
    pub(crate) open_max: usize,
    /// Per IPv4 address, or per IPv6 network.
    pub(crate) per_peer_max: usize,
    pub(crate) age_max: Duration,
}

/// The open requests that have no end of their own. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LongLived {
    limits: LongLivedLimits,
    reporter: ErrorReporter,
    readiness: Readiness,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    total: usize,
    /// Open requests of each peer that has any.
    by_peer: HashMap<IpAddr, usize>,
}

const WATCH_PATH: &str = "/grpc.health.v1.Health/Watch";
/// When to try again if too many are open.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl LongLived {
    pub(crate) fn new(
        limits: LongLivedLimits,
        reporter: ErrorReporter,
        readiness: Readiness,
    ) -> Self {
        Self {
            limits,
            reporter,
            readiness,
            open: Arc::default(),
        }
    }

    /// The response to a request about health or reflection. If it may last, it ends with an error when it is too old, or
    /// when the server closes.
    pub(crate) async fn answer(&self, head: RequestHead, request: Request, next: Next) -> Response {
        if request.uri().path() != WATCH_PATH && head.method != Method::Reflection {
            return next.run(request).await;
        }
        let peer = request.extensions().get::<Peer>().map(Peer::network);
        let Some(place) = self.take(peer) else {
            let error = RequestError::TooManyWatches {
                retry_delay: RETRY_DELAY,
            };
            return self.reporter.reject(&head, &error);
        };
        let error = BodyError::from_extensions(request.extensions());
        let response = next.run(request).await;
        let end = self.clone().end(head);
        let response = response.map(|body| {
            Body::new(Ending {
                body,
                error,
                end: Some(Box::pin(end)),
            })
        });
        hold_until_end(response, place)
    }

    fn take(&self, peer: Option<IpAddr>) -> Option<OpenPlace> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.limits.open_max {
            return None;
        }
        if let Some(peer) = peer {
            let of_peer = open.by_peer.entry(peer).or_default();
            if *of_peer >= self.limits.per_peer_max {
                return None;
            }
            *of_peer += 1;
        }
        open.total += 1;
        drop(open);
        Some(OpenPlace {
            open: Arc::clone(&self.open),
            peer,
        })
    }

    /// Waits until it is time to end, and returns trailers with the reason.
    async fn end(self, head: RequestHead) -> HeaderMap {
        let age_max = self.limits.age_max;
        let error = tokio::select! {
            () = sleep(age_max) => RequestError::StreamTooOld { age_max },
            () = self.readiness.closing() => RequestError::NotReady,
        };
        trailers(&self.reporter.status(&head, &error))
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let written = status.add_header(&mut trailers);
    written.expect("our own words fit into a header");
    trailers
}

/// One open request.
struct OpenPlace {
    open: Arc<Mutex<Open>>,
    peer: Option<IpAddr>,
}

impl Drop for OpenPlace {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        let Some(peer) = self.peer else { return };
        let of_peer = open.by_peer.get_mut(&peer).expect("counted when it opened");
        *of_peer -= 1;
        if *of_peer == 0 {
            open.by_peer.remove(&peer);
        }
    }
}

/// A body that ends with the trailers of `end` as soon as there are any.
struct Ending {
    body: Body,
    /// The reason for an early end that the service itself reports as a success.
    error: Option<BodyError>,
    /// `None` after the end.
    end: Option<Pin<Box<dyn Future<Output = HeaderMap> + Send>>>,
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(end) = &mut this.end else {
            return Poll::Ready(None);
        };
        // The body first: a watcher learns of the last change before the end.
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            let status = this.error.as_ref().and_then(BodyError::status);
            return Poll::Ready(match (frame, status) {
                (Some(Ok(frame)), Some(status)) if is_success(&frame) => {
                    Some(Ok(Frame::trailers(trailers(status))))
                }
                (frame, _) => frame,
            });
        }
        let trailers = ready!(end.as_mut().poll(context));
        this.end = None;
        this.body = Body::empty();
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Whether the frame ends a response successfully.
fn is_success(frame: &Frame<Bytes>) -> bool {
    let status = frame
        .trailers_ref()
        .and_then(|trailers| trailers.get("grpc-status"));
    status.is_some_and(|status| status == "0")
}
