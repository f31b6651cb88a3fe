//! What the fuzzers do with arbitrary bytes: for each target a plain function `run` that panics where a promise is broken.
//! libFuzzer calls them from the folder above, the tests of this crate with the same seeds.
//!
//! Knows nothing of libFuzzer.

#![allow(clippy::unwrap_used, reason = "a panic is how a target reports")]

pub mod form;
pub mod grpc_web;
pub mod headers;
pub mod jpeg;
pub mod picture;
mod service;
