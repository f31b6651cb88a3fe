//! How a request reaches the server: gRPC over HTTP/2 in a native program, gRPC-Web over XMLHttpRequest in a browser. Both
//! have the same names.

#[cfg(any(target_arch = "wasm32", test))]
mod frames;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{
    Channel, backoff, channel, channel_with_ca_certificates, is_unprocessed, is_unreachable,
};
#[cfg(target_arch = "wasm32")]
pub(crate) use web::{Channel, FramedBlob, channel, is_unreachable};

/// A channel that cannot be made, and why.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(
    target_arch = "wasm32",
    allow(dead_code, reason = "a browser checks the URL on the first request")
)]
pub(crate) enum ChannelError {
    #[error("{0}")]
    Url(String),
    #[error("{0}")]
    CaCertificates(String),
}
