//! How many requests of a connection are in progress, and whether the connection has been idle for too long.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::time::{Instant, sleep_until};

use crate::edge::limits::ConnectionLimits;

/// The activity of one connection.
pub(crate) struct Activity {
    now: Mutex<Now>,
    /// Requests in progress on all connections.
    requests: Arc<AtomicUsize>,
}

struct Now {
    in_progress: usize,
    /// When the last request ended, or the connection began.
    idle_since: Instant,
    any_request: bool,
}

/// A request in progress, until its response has been handed over.
pub(crate) struct Busy(Arc<Activity>);

impl Activity {
    pub(crate) fn new(requests: Arc<AtomicUsize>) -> Self {
        Self {
            now: Mutex::new(Now {
                in_progress: 0,
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

    pub(crate) fn is_busy(&self) -> bool {
        self.now().in_progress > 0
    }

    /// Waits until the connection has been idle for longer than the limits allow.
    pub(crate) async fn idle_too_long(&self, limits: ConnectionLimits) {
        loop {
            let idle_until = {
                let now = self.now();
                if now.in_progress > 0 {
                    Instant::now() + limits.idle_timeout
                } else if now.any_request {
                    now.idle_since + limits.idle_timeout
                } else {
                    now.idle_since + limits.first_request_timeout
                }
            };
            let now = Instant::now();
            if idle_until <= now {
                return;
            }
            // The timeout that applies may change meanwhile.
            sleep_until(idle_until.min(now + limits.shortest_timeout())).await;
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

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        pin::pin,
        time::Duration,
    };

    use super::*;

    #[test]
    fn a_connection_is_busy_while_any_request_is_in_progress() {
        let requests = Arc::default();
        let activity = Arc::new(Activity::new(Arc::clone(&requests)));
        assert!(!activity.is_busy());
        let first = Activity::begin(&activity);
        let second = Activity::begin(&activity);
        drop(first);
        assert!(activity.is_busy());
        drop(second);
        assert!(!activity.is_busy());
        assert_eq!(requests.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn waiting_for_an_idle_connection_polls_rarely() {
        const TIMEOUT: Duration = Duration::from_millis(60);
        let limits = ConnectionLimits {
            connections_max: 1,
            streams_max: 1,
            first_request_timeout: TIMEOUT,
            idle_timeout: 10 * TIMEOUT,
            write_timeout: TIMEOUT,
            age: None,
        };
        let activity = Activity::new(Arc::default());
        let begun_at = Instant::now();
        let mut waiting = pin!(activity.idle_too_long(limits));
        let mut looks = 0;
        poll_fn(|context| {
            looks += 1;
            waiting.as_mut().poll(context)
        })
        .await;
        assert!(begun_at.elapsed() >= TIMEOUT);
        assert!(looks <= 5, "{looks} looks");
    }
}
