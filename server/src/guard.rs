//! The layers that a request passes before it is answered, one per file.

pub(crate) mod admission;
pub(crate) mod batch_count;
pub(crate) mod body_limit;
pub(crate) mod client_address;
pub(crate) mod client_timer;
pub(crate) mod deadline;
pub(crate) mod decompress;
pub(crate) mod expectation;
#[cfg(test)]
mod fixture;
pub(crate) mod framing;
pub(crate) mod host;
pub(crate) mod long_lived;
pub(crate) mod memory_reservation;
pub(crate) mod message_meter;
pub(crate) mod metadata_size;
pub(crate) mod origin;
pub(crate) mod rate_limit;
pub(crate) mod reflection_message;
pub(crate) mod tokens;
pub(crate) mod upload;
