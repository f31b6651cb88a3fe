use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::ValueHint;

/// The server, and how to connect to it.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// URL of the server, or of several that are alike, separated by commas
    #[arg(
        long,
        env = "IMAGECLASSIFIER_SERVER",
        default_value = "http://localhost:50051",
        value_name = "URL",
        value_delimiter = ',',
        value_hint = ValueHint::Url
    )]
    pub(crate) server: Vec<String>,

    /// Trust the CA certificates in this file (PEM) instead of the system's, for an https URL
    #[arg(long, env = "IMAGECLASSIFIER_TLS_CA", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Send the access token in the first line of this file
    #[arg(long, env = "IMAGECLASSIFIER_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,

    /// Timeout for each image or request, in seconds, at most a year
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

impl Connection {
    /// The servers' URLs, separated by commas.
    pub(crate) fn servers(&self) -> String {
        self.server.join(",")
    }
}

/// From a millisecond to a year: practically for ever, and no clock overflows.
const TIMEOUTS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(365 * 24 * 3600);

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    timeout
        .filter(|timeout| TIMEOUTS.contains(timeout))
        .ok_or_else(|| {
            format!(
                "give a number of seconds from {} to {}, for example 0.5 or 30",
                TIMEOUTS.start().as_secs_f64(),
                TIMEOUTS.end().as_secs()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_timeouts_that_are_too_short_or_too_long() {
        for (text, timeout_ms) in [("0.001", 1), ("0.5", 500), ("31536000", 31_536_000_000)] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(timeout_ms)));
        }
        for wrong in [
            "0", "1e-4", "-1", "soon", "", "NaN", "inf", "31536001", "1e19", "1e300",
        ] {
            let error = seconds(wrong).unwrap_err();
            assert!(error.contains("from 0.001 to 31536000"), "{wrong}: {error}");
        }
    }
}
