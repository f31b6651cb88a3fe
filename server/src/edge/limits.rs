use std::time::Duration;

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

/// Limits on each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) connections_max: usize,
    /// HTTP/2 streams open at the same time on one connection.
    pub(crate) streams_max: u32,
    /// Time from the first byte to the end of the first request's head.
    pub(crate) first_request_timeout: Duration,
    /// How long a connection may have no request in progress.
    pub(crate) idle_timeout: Duration,
    /// How long a client may stop reading a response.
    pub(crate) write_timeout: Duration,
    pub(crate) age: Option<AgeLimits>,
}

/// How old a connection may become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgeLimits {
    /// Then it takes no further requests.
    pub(crate) max: Duration,
    /// How long the requests in progress then have to finish.
    pub(crate) grace: Duration,
}

/// What is counted of connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) open: Gauge,
    /// Those that have become too old.
    pub(crate) aged: Counter,
    /// Those with requests in progress at the end of the grace.
    pub(crate) cut_off: Counter,
}

impl ConnectionLimits {
    pub(crate) fn shortest_timeout(&self) -> Duration {
        self.first_request_timeout.min(self.idle_timeout)
    }
}
