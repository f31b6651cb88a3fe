//! The image classifier as a service: native gRPC, gRPC-Web, plain HTTP and the page on one port. Knows how to answer calls; what a
//! picture is and how it is classified belongs to `imageclassifier-model`.

mod activity;
mod admission;
mod app;
mod call;
mod config;
mod connection;
mod deadline;
mod engine;
mod host;
mod in_process;
mod inference;
mod many;
mod metrics;
mod newcomers;
mod page;
mod plain_http;
mod queue;
mod rate_limit;
mod readiness;
mod refusal;
mod request_id;
mod sent;
mod service;
mod service_time;
mod stages;
mod status;
mod telemetry;
mod tls;
mod tokens;
mod trace;
mod upload;
mod wire;
mod workers;

pub use app::{Listeners, serve};
pub use config::{Config, Limits, LogFormat};
pub use engine::Engine;
#[doc(hidden)]
pub use in_process::InProcess;
pub use stages::{MakeStages, Stages};
pub use telemetry::observe;
pub use tls::TlsFiles;
pub use trace::Traces;
