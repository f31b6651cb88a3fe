use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::{CallError, ErrorKind};

/// The first wait where the server names none; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// A server that comes back is found within this time.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Makes `call` again, up to `retries` times, for as long as the server turns it away with a google.rpc.RetryInfo, each time
/// after the delay in it.
///
/// # Errors
/// The last call's.
pub async fn patiently<T, F>(retries: u32, mut call: impl FnMut() -> F) -> Result<T, CallError>
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

/// How long to wait after `attempts` + 1 attempts of which the last one ended in `error`: no shorter than the server asks
/// for, longer each time, and not the same for all who were turned away together. Nothing if trying again cannot help.
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

/// 0 to 1. The standard library's only source of chance is good enough to spread callers.
fn jitter() -> f64 {
    let chance = u32::try_from(RandomState::new().hash_one(()) >> 32).expect("32 bits are left");
    f64::from(chance) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn turned_away(hint: Duration) -> CallError {
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
            (0, &turned_away(Duration::from_millis(700)), 700),
            (4, &turned_away(Duration::from_millis(700)), 1_600),
            (4, &turned_away(Duration::from_secs(60)), 60_000),
        ] {
            let least = Duration::from_millis(least_ms);
            let wait = wait(attempts, error).unwrap();
            assert!(least <= wait && wait <= least * 5 / 4, "{wait:?} {least:?}");
        }
        assert!(wait(0, &Status::invalid_argument("").into()).is_none());
        assert!(wait(0, &Status::deadline_exceeded("").into()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_made_again_when_the_server_said_and_only_then() {
        let hint = Duration::from_secs(2);
        let began = tokio::time::Instant::now();
        let mut calls = 0;
        let answer = patiently(3, || {
            calls += 1;
            let outcome = if calls < 3 {
                Err(turned_away(hint))
            } else {
                Ok(calls)
            };
            async { outcome }
        });
        assert_eq!(answer.await.unwrap(), 3);
        assert!(began.elapsed() >= hint * 2);

        let mut calls = 0;
        let refused = patiently(2, || {
            calls += 1;
            async { Err::<(), _>(turned_away(hint)) }
        });
        refused.await.unwrap_err();
        assert_eq!(calls, 3);

        let mut calls = 0;
        let lost = patiently(2, || {
            calls += 1;
            async { Err::<(), _>(CallError::from(Status::unavailable("gone"))) }
        });
        lost.await.unwrap_err();
        assert_eq!(calls, 1);
    }
}
