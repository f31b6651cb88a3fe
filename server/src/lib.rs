//! The image classifier as a service: native gRPC, gRPC-Web and the page on one port. Knows how to answer calls; what a
//! picture is and how it is classified belongs to `imageclassifier-model`.

mod app;
mod config;
mod engine;
mod inference;
mod oversize;
mod page;
mod readiness;
mod request_id;
mod service;
mod status;
mod telemetry;
mod wire;

pub use app::serve;
pub use config::Config;
pub use engine::Engine;
pub use telemetry::log_to_stderr;
