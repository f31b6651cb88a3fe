use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How long one image keeps one core busy, as an exponentially weighted mean of what was measured, and of how many images.
#[derive(Debug, Default)]
pub(crate) struct ServiceTime {
    mean_ns: AtomicU64,
    images: AtomicU64,
}

/// Weight of the newest measurement: a change of the load shows within about ten images.
const NEWEST: f64 = 0.125;

impl ServiceTime {
    /// Records that an image kept one core busy for `core_time`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "nanoseconds of an image are far below 2^52 and never negative"
    )]
    pub(crate) fn record(&self, core_time: Duration) {
        let newest = core_time.as_nanos() as f64;
        // If two threads record at once, one value may be lost: this is only an estimate.
        let mean = match self.mean_ns.load(Ordering::Relaxed) {
            0 => newest,
            mean => mean as f64 * (1.0 - NEWEST) + newest * NEWEST,
        };
        self.mean_ns.store(mean as u64, Ordering::Relaxed);
        self.images.fetch_add(1, Ordering::Relaxed);
    }

    /// How many images were measured.
    pub(crate) fn images(&self) -> u64 {
        self.images.load(Ordering::Relaxed)
    }

    /// The mean; zero before the first measurement.
    pub(crate) fn mean(&self) -> Duration {
        Duration::from_nanos(self.mean_ns.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_follows_the_measurements() {
        let time = ServiceTime::default();
        assert_eq!(time.mean(), Duration::ZERO);
        time.record(Duration::from_millis(8));
        assert_eq!(
            time.mean(),
            Duration::from_millis(8),
            "the first counts whole"
        );
        for _ in 0..50 {
            time.record(Duration::from_millis(80));
        }
        assert!(time.mean() > Duration::from_millis(79));
    }
}
