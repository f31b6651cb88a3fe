//! The service through the door that callers use: a real port, real clients, real pictures.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod app;
mod boundary;
mod classify;
mod page;
mod protocol;
mod readiness;
mod refusals;
