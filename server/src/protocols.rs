//! What the server speaks: gRPC, the Open Inference Protocol, plain HTTP, and the page.

pub(crate) mod batch;
pub(crate) mod classify;
pub(crate) mod compress;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod load_report;
pub(crate) mod oip;
pub(crate) mod page;
mod publish;
pub(crate) mod wire;
