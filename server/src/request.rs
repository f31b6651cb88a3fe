//! What is known of a request, and what can be wrong with it.

pub(crate) mod encoding;
pub(crate) mod error;
pub(crate) mod head;
pub(crate) mod peer;
pub(crate) mod request_id;
