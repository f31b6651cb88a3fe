//! Metrics, traces and logs.

pub(crate) mod error_reporter;
pub(crate) mod logging;
pub(crate) mod metrics;
pub(crate) mod record;
pub(crate) mod trace;
