use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The first wait where the server sends no hint; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait without a hint: a restarted server is found within this time.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A longer hint counts as this, so that no clock overflows.
const HINT_MAX: Duration = Duration::from_secs(24 * 3600);

/// How long to wait after `failures` failures in a row and one more: no shorter than the server's hint, longer each time, and
/// different for clients that failed together.
pub(crate) fn backoff(failures: u32, hint: Option<Duration>) -> Duration {
    let doubled = WAIT_MIN.saturating_mul(2u32.saturating_pow(failures));
    let wait = doubled
        .min(WAIT_MAX)
        .max(hint.unwrap_or_default().min(HINT_MAX));
    wait.mul_f64(1.0 + random() / 4.0)
}

/// 0 to 1. The standard library's only source of randomness is good enough to spread clients.
pub(crate) fn random() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).expect("32 bits are left");
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_never_shorter_than_the_hint() {
        for (failures, hint_ms, least_ms) in [
            (0, None, 100),
            (3, None, 800),
            (40, None, 5_000),
            (0, Some(700), 700),
            (4, Some(700), 1_600),
            (4, Some(60_000), 60_000),
        ] {
            let least = Duration::from_millis(least_ms);
            let wait = backoff(failures, hint_ms.map(Duration::from_millis));
            assert!(least <= wait && wait <= least * 5 / 4, "{wait:?} {least:?}");
        }
        let wait = backoff(0, Some(Duration::MAX));
        assert!(wait <= HINT_MAX * 5 / 4, "{wait:?}");
    }
}
