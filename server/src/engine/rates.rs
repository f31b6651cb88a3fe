use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How much happened per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) images: f64,
    /// Errors that are the server's fault, or that tell the client to come back later.
    pub(crate) errors: f64,
}

/// What has happened since the server started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) images: u64,
    pub(crate) errors: u64,
}

/// Makes rates of totals.
#[derive(Debug)]
pub(crate) struct RateMeter(Mutex<Window>);

#[derive(Debug)]
struct Window {
    begun_at: Instant,
    totals: Totals,
    /// Of the window before.
    rates: Rates,
}

/// Long enough for some images of a slow server, short enough for a balancer to follow a change.
const WINDOW: Duration = Duration::from_secs(1);
/// Longer windows are pauses between two reports.
const PAUSE: Duration = Duration::from_secs(10);

impl RateMeter {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Window {
            begun_at: now,
            totals: Totals::default(),
            rates: Rates::default(),
        }))
    }

    /// The rates of the last whole window; zero in the first one, and after a pause in which nobody asked: the mean over a
    /// pause says nothing of now.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(crate) fn rates(&self, now: Instant, totals: impl FnOnce() -> Totals) -> Rates {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let length = now.saturating_duration_since(window.begun_at);
        if length >= WINDOW {
            let totals = totals();
            let is_pause = length > PAUSE;
            let per_second = |now: u64, before: u64| match is_pause {
                true => 0.0,
                false => now.saturating_sub(before) as f64 / length.as_secs_f64(),
            };
            *window = Window {
                begun_at: now,
                totals,
                rates: Rates {
                    images: per_second(totals.images, window.totals.images),
                    errors: per_second(totals.errors, window.totals.errors),
                },
            };
        }
        window.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_whole_window() {
        let start = Instant::now();
        let meter = RateMeter::new(start);
        for (milliseconds, images, errors, expected) in [
            (500, 10, 1, [0.0, 0.0]),
            (2000, 40, 4, [20.0, 2.0]),
            (2900, 400, 40, [20.0, 2.0]),
            (3000, 140, 4, [100.0, 0.0]),
            (13_000, 140, 4, [0.0, 0.0]),
            (3_613_000, 1140, 4, [0.0, 0.0]),
            (3_614_000, 1150, 4, [10.0, 0.0]),
        ] {
            let now = start + Duration::from_millis(milliseconds);
            let rates = meter.rates(now, || Totals { images, errors });
            assert_eq!([rates.images, rates.errors], expected, "{milliseconds} ms");
        }
    }
}
