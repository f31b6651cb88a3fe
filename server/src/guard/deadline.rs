use std::time::{Duration, Instant};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Extensions, HeaderMap, HeaderName};
use tokio::time::timeout_at;

use crate::{
    observe::error_reporter::ErrorReporter,
    request::{
        error::RequestError,
        head::{Method, RequestHead},
    },
};

/// When a request must be answered, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Instant);

impl Deadline {
    /// The deadline that [`enforce`] has set.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Self {
        let deadline = extensions.get::<Self>();
        *deadline.expect("`enforce` lies around every handler")
    }
}

/// How long the client waits, in gRPC's notation.
const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");
/// Largest number of digits in it, by the gRPC specification.
const DIGITS_MAX: usize = 8;
/// The error is sent this long before the client's own deadline, so that the client receives it.
const MARGIN_MAX: Duration = Duration::from_millis(10);
/// So far away that it is no deadline.
const OPEN_END: Duration = Duration::from_secs(365 * 24 * 3600);

/// Answers DEADLINE_EXCEEDED shortly before the client's deadline, or at the server's default if the client sets none. This
/// layer has to lie inside the gRPC-Web translation: otherwise a browser could not read the answer.
pub(crate) async fn enforce(
    State((reporter, default)): State<(ErrorReporter, Duration)>,
    mut request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let timeout = match parse_timeout_header(request.headers()) {
        Ok(Some(timeout)) => with_margin(timeout),
        // A stream lasts as long as its caller likes; its images have deadlines of their own.
        Ok(None) if head.method == Method::ClassifyStream => OPEN_END,
        Ok(None) => default,
        Err(value) => return reporter.reject(&head, &RequestError::TimeoutMalformed { value }),
    };
    // The longest timeout, eleven millennia, does not overflow the clock.
    let deadline = head.arrived_at + timeout;
    request.extensions_mut().insert(Deadline(deadline));
    match timeout_at(deadline.into(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => reporter.reject(&head, &RequestError::DeadlineExceeded),
    }
}

fn with_margin(timeout: Duration) -> Duration {
    timeout - MARGIN_MAX.min(timeout / 10)
}

/// `None` if the client sets no timeout; the start of the header's value as the error if it is malformed.
fn parse_timeout_header(headers: &HeaderMap) -> Result<Option<Duration>, String> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    match parse_timeout(text) {
        Some(timeout) => Ok(Some(timeout)),
        None => Err(text.chars().take(DIGITS_MAX * 2).collect()),
    }
}

/// 1 to 8 digits and a unit: hours, minutes, seconds, milliseconds, microseconds or nanoseconds.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    if !plain || !(1..=DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn timeouts_are_read_as_the_specification_writes_them() {
        for (text, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("10S", Some(Duration::from_secs(10))),
            ("00000250m", Some(Duration::from_millis(250))),
            ("5u", Some(Duration::from_micros(5))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("", None),
            ("m", None),
            ("10", None),
            ("10s", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
            ("100000000m", None),
            ("1 S", None),
            ("1é", None),
        ] {
            assert_eq!(parse_timeout(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_longest_timeout_does_not_overflow_the_clock() {
        let longest = parse_timeout("99999999H").unwrap();
        assert!(Instant::now().checked_add(longest).is_some());
    }

    #[test]
    fn errors_quote_the_start_of_a_malformed_timeout() {
        let value = HeaderValue::from_static("12345678901234567890S");
        let headers = HeaderMap::from_iter([(HEADER, value)]);
        let quoted = parse_timeout_header(&headers).unwrap_err();
        assert_eq!(quoted, "1234567890123456");
    }

    #[test]
    fn the_response_leaves_before_the_client_times_out() {
        assert_eq!(
            with_margin(Duration::from_secs(1)),
            Duration::from_millis(990)
        );
        assert_eq!(
            with_margin(Duration::from_millis(10)),
            Duration::from_millis(9)
        );
    }
}
