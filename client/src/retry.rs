//! Requests that are sent again: after the server's hint, otherwise with exponential backoff, never past the deadline, and within
//! the client's budget.

mod budget;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, Response, Status};

use crate::{
    CallError,
    transport::{Channel, backoff, is_unprocessed, is_unreachable},
};
use budget::Bucket;
pub use budget::RetryBudget;

/// How often a client sends a request again by default.
const RETRIES: u32 = 3;
/// How many connections may end, one after the other, before a server has begun to process a request.
pub(crate) const UNPROCESSED_MAX: u32 = 5;

/// The retries of one client.
#[derive(Debug)]
pub(crate) struct Retries {
    max: u32,
    bucket: Option<Arc<Bucket>>,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            max: RETRIES,
            bucket: None,
        }
        .with_budget(Some(RetryBudget::default()))
    }
}

impl Retries {
    /// With the same tokens.
    pub(crate) fn with_max(&self, max: u32) -> Self {
        let bucket = self.bucket.clone();
        Self { max, bucket }
    }

    pub(crate) fn with_budget(&self, budget: Option<RetryBudget>) -> Self {
        Self {
            max: self.max,
            bucket: budget.map(|budget| Arc::new(Bucket::new(budget))),
        }
    }

    /// A request failed that may succeed later.
    pub(crate) fn failed(&self) {
        self.bucket.as_ref().inspect(|bucket| bucket.failed());
    }

    /// A request or an image succeeded.
    pub(crate) fn succeeded(&self) {
        self.bucket.as_ref().inspect(|bucket| bucket.succeeded());
    }

    /// Whether the budget has tokens for retries.
    pub(crate) fn are_allowed(&self) -> bool {
        self.bucket
            .as_ref()
            .is_none_or(|bucket| bucket.allows_retries())
    }

    /// Runs `attempt`, which gets the time that is left, until it succeeds or should not be repeated.
    pub(crate) async fn run<T, F>(
        &self,
        channel: &Channel,
        timeout: Option<Duration>,
        mut attempt: impl FnMut(Option<Duration>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (mut retries, mut moves, mut unprocessed) = (0, 0, 0);
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let answer = attempt(left);
            let answer = match deadline {
                // A connection may take longer than the request has.
                Some(deadline) => timeout_at(deadline, answer)
                    .await
                    .map_err(|_| CallError::out_of_time())?,
                None => answer.await,
            };
            let status = match answer {
                Ok(response) => {
                    self.succeeded();
                    return Ok(response.into_inner());
                }
                Err(status) => status,
            };
            let failure = Failure::new(status);
            if !failure.is_retryable() {
                return Err(failure.error);
            }
            if failure.is_unprocessed && unprocessed < UNPROCESSED_MAX {
                unprocessed += 1;
                continue; // costs nothing
            }
            self.failed();
            if !self.are_allowed() {
                return Err(failure.error);
            }
            if failure.is_unavailable
                && moves + 1 < channel.addresses()
                && channel.is_any_available()
            {
                moves += 1;
                continue; // another server need not wait for this one
            }
            if retries == self.max {
                return Err(failure.error);
            }
            let wait = backoff(retries, failure.error.retry_after());
            if deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
                return Err(failure.error);
            }
            sleep(wait).await;
            retries += 1;
            moves = 0;
        }
    }
}

struct Failure {
    error: CallError,
    is_unprocessed: bool,
    /// The server is unreachable or answered UNAVAILABLE; an overloaded server does not count.
    is_unavailable: bool,
}

impl Failure {
    fn new(status: Status) -> Self {
        let is_lost = is_unreachable(&status);
        Self {
            is_unprocessed: is_unprocessed(&status),
            is_unavailable: is_lost || status.code() == Code::Unavailable,
            error: status.into(),
        }
    }

    fn is_retryable(&self) -> bool {
        self.error.kind() == crate::ErrorKind::Unavailable
            && (self.is_unavailable || self.error.retry_after().is_some())
    }
}
