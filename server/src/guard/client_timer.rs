use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// How long to wait for a client. Only waiting counts: while the server does not read, the client cannot send.
pub(crate) struct ClientTimer {
    left: Duration,
    /// When the server began to wait; `None` while it is not waiting.
    waiting_since: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

impl ClientTimer {
    /// Allows a total wait of `allowed`.
    pub(crate) fn new(allowed: Duration) -> Self {
        Self {
            left: allowed,
            waiting_since: None,
            sleep: Box::pin(sleep(allowed)),
        }
    }

    /// Allows `allowed` again, regardless of the wait so far.
    pub(crate) fn restart(&mut self, allowed: Duration) {
        self.left = allowed;
        self.waiting_since = None;
    }

    /// Stops the timer: something has arrived.
    pub(crate) fn pause(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }

    /// Runs the timer: nothing has arrived yet. Ready when it is too late.
    pub(crate) fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            self.sleep.as_mut().reset(now + self.left);
        }
        self.sleep.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;

    const TICK: Duration = Duration::from_millis(50);

    /// Waits for a client that sends something after `time`. Returns whether that was too late.
    async fn waits(timer: &mut ClientTimer, time: Duration) -> bool {
        let late = timeout(time, poll_fn(|context| timer.poll_waiting(context))).await;
        timer.pause();
        late.is_ok()
    }

    #[tokio::test]
    async fn only_waiting_for_the_client_counts() {
        let mut timer = ClientTimer::new(4 * TICK);
        sleep(6 * TICK).await;
        assert!(!waits(&mut timer, TICK).await);
        sleep(6 * TICK).await;
        assert!(!waits(&mut timer, TICK).await);
        assert!(waits(&mut timer, 6 * TICK).await, "more than four in all");
        timer.restart(4 * TICK);
        assert!(!waits(&mut timer, TICK).await);
    }
}
