use std::time::Duration;

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) connections_max: usize,
    /// HTTP/2 streams of one connection.
    pub(crate) streams_max: u32,
    /// From the first byte to the end of the first request's head.
    pub(crate) first_request_timeout: Duration,
    /// Without a request in progress.
    pub(crate) idle_timeout: Duration,
    /// Without the client taking more of a response.
    pub(crate) write_timeout: Duration,
}

impl ConnectionLimits {
    pub(crate) fn shortest_timeout(&self) -> Duration {
        self.first_request_timeout.min(self.idle_timeout)
    }
}
