use tonic::Status;

use crate::CallError;

pub(crate) type Channel = tonic_web_wasm_client::Client;

/// The browser connects on each call. Nothing can be wrong with the URL before that.
#[allow(
    clippy::unnecessary_wraps,
    reason = "same signature as the native transport"
)]
pub(crate) fn channel(server_url: &str) -> Result<Channel, CallError> {
    Ok(Channel::new(server_url.to_owned()))
}

/// Whether no server answered, or something that is no gRPC server did. The browser tells no more than "TypeError",
/// of which tonic makes UNKNOWN.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    std::error::Error::source(status)
        .is_some_and(|source| source.is::<tonic_web_wasm_client::Error>())
}
