//! Connections: accepting, TLS, timeouts, closing. Knows nothing of gRPC or images.

pub(crate) mod accept;
pub(crate) mod activity;
pub(crate) mod age;
pub(crate) mod connection;
pub(crate) mod limits;
pub(crate) mod proxy_protocol;
pub(crate) mod syn_gate;
pub(crate) mod tls;
pub(crate) mod write_timeout;
