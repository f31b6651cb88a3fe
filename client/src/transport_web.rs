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
