//! How busy the engine is, for metrics and for load reports.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{
    Engine,
    rates::{Rates, Totals},
};

/// The load at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Images that wait for a compute thread.
    pub(crate) queue_length: usize,
    /// How long an image that is queued now is expected to wait.
    pub(crate) queue_wait: Duration,
    /// Compute threads at work.
    pub(crate) workers_busy: usize,
}

/// The load of the last second or so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecentLoad {
    /// The share of the compute threads' time that was used.
    pub(crate) utilization: f64,
    pub(crate) rates: Rates,
    /// As [`Load::queue_wait`], at this moment.
    pub(crate) queue_wait: Duration,
}

impl Engine {
    /// The load at this moment.
    pub(crate) fn load(&self) -> Load {
        let pool = &self.0.pool;
        Load {
            queue_length: pool.queue.len(),
            queue_wait: self.estimated_wait(),
            workers_busy: pool.busy.load(Ordering::Relaxed),
        }
    }

    /// The load of the last second or so.
    pub(crate) fn recent_load(&self) -> RecentLoad {
        let pool = &self.0.pool;
        let totals = || Totals {
            images: pool.service_time.images(),
            errors: pool.metrics.server_errors(),
        };
        let rates = self.0.rates.rates(Instant::now(), totals);
        let threads = u32::try_from(pool.threads).unwrap_or(u32::MAX);
        let busy = rates.images * pool.service_time.mean().as_secs_f64();
        RecentLoad {
            utilization: busy / f64::from(threads),
            rates,
            queue_wait: self.estimated_wait(),
        }
    }
}
