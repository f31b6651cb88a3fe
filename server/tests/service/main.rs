//! The service through the door that callers use: a real port, real clients, real pictures.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod app;
mod batch;
mod boundary;
mod classify;
mod compression;
mod deadlines;
mod errors;
mod hosts;
mod isolation;
mod logs;
mod metrics;
mod oip;
mod page;
mod plain;
mod plain_http;
mod protocol;
mod readiness;
mod rejections;
mod script;
mod slow_peers;
mod stopping;
mod tls;
mod traces;
mod weights;
