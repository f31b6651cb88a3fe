use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::{CallError, ErrorKind};

/// The first wait where the server sends no hint; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait without a hint: a restarted server is found within this time.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Repeats `call`, up to `retries` times, while the server rejects it with a google.rpc.RetryInfo, each time after the delay
/// in it.
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

/// How long to wait after `attempts` + 1 attempts, the last of which ended in `error`: no shorter than the server's hint,
/// longer each time, and different for clients that were rejected together. `None` if a retry cannot help.
pub(crate) fn wait(attempts: u32, error: &CallError) -> Option<Duration> {
    if error.kind() != ErrorKind::Unavailable {
        return None;
    }
    let doubled = WAIT_MIN.saturating_mul(2u32.saturating_pow(attempts));
    let wait = doubled
        .min(WAIT_MAX)
        .max(error.retry_after().unwrap_or_default());
    Some(wait.mul_f64(1.0 + jitter() / 4.0))
}

/// 0 to 1. The standard library's only source of randomness is good enough to spread clients.
fn jitter() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).expect("32 bits are left");
    f64::from(random) / f64::from(u32::MAX)
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
    fn waits_grow_and_are_never_shorter_than_the_hint() {
        let lost = CallError::from(Status::unavailable("gone"));
        for (attempts, error, least_ms) in [
            (0, &lost, 100),
            (3, &lost, 800),
            (40, &lost, 5_000),
            (0, &rejected(Duration::from_millis(700)), 700),
            (4, &rejected(Duration::from_millis(700)), 1_600),
            (4, &rejected(Duration::from_secs(60)), 60_000),
        ] {
            let least = Duration::from_millis(least_ms);
            let wait = wait(attempts, error).unwrap();
            assert!(least <= wait && wait <= least * 5 / 4, "{wait:?} {least:?}");
        }
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
