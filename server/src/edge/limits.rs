use std::time::Duration;

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
}

impl ConnectionLimits {
    pub(crate) fn shortest_timeout(&self) -> Duration {
        self.first_request_timeout.min(self.idle_timeout)
    }
}
