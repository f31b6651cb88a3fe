use std::time::Duration;

use tonic::{Status, transport::Endpoint};

use crate::CallError;

pub(crate) type Channel = tonic::transport::Channel;

/// Long enough for a server on another continent, short enough that a wrong port is reported while one still watches.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects on the first call.
pub(crate) fn channel(server_url: &str) -> Result<Channel, CallError> {
    let endpoint = Endpoint::from_shared(server_url.to_owned())
        .map_err(|error| CallError::bad_url(server_url, error))?;
    Ok(endpoint.connect_timeout(CONNECT_TIMEOUT).connect_lazy())
}

/// Never: tonic itself says UNAVAILABLE where it finds no server.
pub(crate) fn is_unreachable(_status: &Status) -> bool {
    false
}
