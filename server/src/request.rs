//! What a request's head says, and the errors that a request can end with.

pub(crate) mod client_left;
pub(crate) mod encoding;
pub(crate) mod error;
pub(crate) mod forwarded;
pub(crate) mod head;
pub(crate) mod method;
pub(crate) mod peer;
pub(crate) mod request_id;
pub(crate) mod trusted_proxies;
