//! The image classifier as a service: native gRPC, gRPC-Web, plain HTTP and the page on one port. Knows how to answer requests;
//! what an image is and how it is classified belongs to `imageclassifier-model`.

mod app;
mod body_guard;
mod config;
mod edge;
mod engine;
mod guard;
mod in_process;
mod monitoring;
mod observe;
mod protocols;
mod readiness;
mod reload;
mod request;
mod server;
mod service_manager;

pub use config::{Config, Limits, LogFormat, TlsFiles};
pub use engine::{
    Engine,
    stages::{MakeStages, Stages},
};
#[doc(hidden)]
pub use in_process::InProcess;
pub use observe::logging::{Telemetry, init_tracing};
pub use server::{Listeners, serve};
