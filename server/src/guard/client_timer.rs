use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// How long a client is waited for. Only waiting counts: while the server does not read, the client cannot send.
pub(crate) struct ClientTimer {
    left: Duration,
    /// Since when nothing has come that the server would have read.
    waiting_since: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

impl ClientTimer {
    /// Waits for `allowed`, all in all.
    pub(crate) fn new(allowed: Duration) -> Self {
        Self {
            left: allowed,
            waiting_since: None,
            sleep: Box::pin(sleep(allowed)),
        }
    }

    /// Waits for `allowed` again, whatever was waited before.
    pub(crate) fn restart(&mut self, allowed: Duration) {
        self.left = allowed;
        self.waiting_since = None;
    }

    /// Something has come.
    pub(crate) fn pause(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }

    /// Nothing has come yet. Ready when it is too late.
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

    /// Waits for the client, which sends something after `time`; whether that was too late.
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
