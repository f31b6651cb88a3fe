use std::{sync::Arc, time::Duration};

use crate::{CallError, Classifier, ErrorKind, RetryBudget, transport::backoff};

impl Classifier {
    /// The same client, sending a request again up to `retries` times: if the server rejects it temporarily, after its hint; if
    /// the server is unreachable or the connection is lost, after a growing wait. The default is 3. Moving at once to another
    /// server, if one has not failed too, does not count. What no server has begun to process, because the connection ended first, is
    /// always sent again.
    ///
    /// [`publish`](Self::publish) and [`health`](Self::health) are never sent again, streams have
    /// [`StreamOptions`](crate::StreamOptions).
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = Arc::new(self.retries.with_max(retries));
        self
    }

    /// The same client with another budget for the retries of all its requests and streams; `None` means no bound. Clones share
    /// a budget.
    #[must_use]
    pub fn with_retry_budget(mut self, budget: Option<RetryBudget>) -> Self {
        self.retries = Arc::new(self.retries.with_budget(budget));
        self
    }
}

/// Repeats `call`, up to `retries` times, while the server rejects it with a google.rpc.RetryInfo, each time after the delay
/// in it. The methods of [`Classifier`] that are sent again by themselves do not need it.
///
/// # Errors
/// The error of the last attempt.
pub async fn with_retries<T, F>(retries: u32, mut call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut attempts = 0;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) if attempts == retries || error.retry_after().is_none() => {
                return Err(error);
            }
            Err(error) => error,
        };
        let Some(wait) = wait(attempts, &error) else {
            return Err(error);
        };
        tokio::time::sleep(wait).await;
        attempts += 1;
    }
}

/// The old name of [`with_retries`].
///
/// # Errors
/// As [`with_retries`].
#[deprecated(since = "0.1.0", note = "use `with_retries`")]
pub async fn patiently<T, F>(retries: u32, call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    with_retries(retries, call).await
}

/// How long to wait after `attempts` + 1 attempts, the last of which ended in `error`. `None` if a retry cannot help.
pub(crate) fn wait(attempts: u32, error: &CallError) -> Option<Duration> {
    let is_unavailable = error.kind() == ErrorKind::Unavailable;
    is_unavailable.then(|| backoff(attempts, error.retry_after()))
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn rejected(hint: Duration) -> CallError {
        let details = ErrorDetails::with_retry_info(Some(hint));
        Status::with_error_details(Code::ResourceExhausted, "busy", details).into()
    }

    #[test]
    fn waits_only_where_a_retry_can_help() {
        assert!(wait(0, &Status::unavailable("gone").into()).is_some());
        let hint = Duration::from_millis(700);
        assert!(wait(0, &rejected(hint)).unwrap() >= hint);
        assert!(wait(0, &Status::invalid_argument("").into()).is_none());
        assert!(wait(0, &Status::deadline_exceeded("").into()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn retries_after_the_servers_hint_and_only_then() {
        let hint = Duration::from_secs(2);
        let began = tokio::time::Instant::now();
        let mut calls = 0;
        let answer = with_retries(3, || {
            calls += 1;
            let outcome = if calls < 3 {
                Err(rejected(hint))
            } else {
                Ok(calls)
            };
            async { outcome }
        });
        assert_eq!(answer.await.unwrap(), 3);
        assert!(began.elapsed() >= hint * 2);

        let mut calls = 0;
        let exhausted = with_retries(2, || {
            calls += 1;
            async { Err::<(), _>(rejected(hint)) }
        });
        exhausted.await.unwrap_err();
        assert_eq!(calls, 3);

        let mut calls = 0;
        let lost = with_retries(2, || {
            calls += 1;
            async { Err::<(), _>(CallError::from(Status::unavailable("gone"))) }
        });
        lost.await.unwrap_err();
        assert_eq!(calls, 1);
    }
}
