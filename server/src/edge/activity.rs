//! What goes on on a connection: how many requests are in progress, and whether it has been still for too long.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep_until};

use crate::edge::limits::ConnectionLimits;

/// What goes on on a connection.
pub(crate) struct Activity {
    now: Mutex<Now>,
    /// Requests in progress on all connections.
    requests: Arc<AtomicUsize>,
}

struct Now {
    in_progress: usize,
    /// Of these, answers of which a part is still to be taken.
    sending: usize,
    /// When a part of an answer was last taken.
    sent_at: Instant,
    /// When the last request ended, or the connection began.
    idle_since: Instant,
    any_request: bool,
}

/// A request in progress.
pub(crate) struct Busy(Arc<Activity>);

impl Activity {
    pub(crate) fn new(requests: Arc<AtomicUsize>) -> Self {
        Self {
            now: Mutex::new(Now {
                in_progress: 0,
                sending: 0,
                sent_at: Instant::now(),
                idle_since: Instant::now(),
                any_request: false,
            }),
            requests,
        }
    }

    pub(crate) fn begin(this: &Arc<Self>) -> Busy {
        let mut now = this.now();
        now.in_progress += 1;
        now.any_request = true;
        this.requests.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(this))
    }

    /// Until nothing has been asked, or nothing of an answer been taken, for longer than is allowed.
    pub(crate) async fn timed_out(&self, limits: ConnectionLimits) {
        loop {
            let patience_ends = {
                let now = self.now();
                if now.sending > 0 {
                    now.sent_at + limits.write_timeout
                } else if now.in_progress > 0 {
                    Instant::now() + limits.idle_timeout
                } else if now.any_request {
                    now.idle_since + limits.idle_timeout
                } else {
                    now.idle_since + limits.first_request_timeout
                }
            };
            let now = Instant::now();
            if patience_ends <= now {
                return;
            }
            // What is waited for may change meanwhile.
            sleep_until(patience_ends.min(now + limits.shortest_timeout())).await;
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut now = self.0.now();
        now.in_progress -= 1;
        now.idle_since = Instant::now();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer of which a part is still to be taken. (An HTTP/2 peer that grants no window can go on answering pings.)
struct Sending(Arc<Activity>);

impl Sending {
    fn begin(activity: &Arc<Activity>) -> Self {
        let mut now = activity.now();
        now.sending += 1;
        now.sent_at = Instant::now();
        drop(now);
        Self(Arc::clone(activity))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut now = self.0.now();
        now.sending -= 1;
        now.sent_at = Instant::now();
    }
}

/// A request is in progress until the last byte of its answer has been handed over.
pub(crate) fn hold_until_sent(body: Body, busy: Busy, long_lived: bool) -> Body {
    let sending = (!long_lived).then(|| Sending::begin(&busy.0));
    Body::new(body.map_frame(move |frame| {
        if sending.is_some() {
            busy.0.now().sent_at = Instant::now();
        }
        frame
    }))
}

/// Whoever watches health, or keeps reflection open, gets parts of the answer whenever there are any.
pub(crate) fn is_long_lived(path: &str) -> bool {
    ["/grpc.health.v1.", "/grpc.reflection."]
        .iter()
        .any(|service| path.starts_with(service))
}
