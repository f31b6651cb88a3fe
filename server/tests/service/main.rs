//! The service through the door that callers use: a real port, real clients, real images.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod app;
mod back_pressure;
mod batch;
mod boundary;
mod classify;
mod compression;
mod connection_age;
mod deadlines;
mod decoded_size;
mod deployment;
mod errors;
mod heads;
mod hosts;
mod isolation;
mod load_reports;
mod logs;
mod long_lived;
mod metrics;
mod models;
mod oip;
mod options;
mod page;
mod plain;
mod plain_http;
mod probes;
mod protocol;
mod proxies;
mod raw_http2;
mod readiness;
mod rejections;
mod script;
mod service_manager;
mod slow_peers;
mod stopping;
mod tls;
mod traces;
mod weights;
mod write_timeouts;
