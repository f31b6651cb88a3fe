use std::time::Duration;

/// Shorter times would end each request or connection before it begins.
const SHORTEST: Duration = Duration::from_millis(1);
/// A year: no clock overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A time that may be zero, up to a year.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    within(text, Duration::ZERO)
}

/// A time from a millisecond to a year.
pub(super) fn positive_seconds(text: &str) -> Result<Duration, String> {
    within(text, SHORTEST)
}

fn within(text: &str, shortest: Duration) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = time.filter(|time| (shortest..=LONGEST).contains(time));
    time.ok_or_else(|| {
        format!(
            "not a number of seconds in {}..={}",
            shortest.as_secs_f64(),
            LONGEST.as_secs()
        )
    })
}
