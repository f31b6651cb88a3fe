//! The fuzz targets. Each module has a function `run` that takes arbitrary bytes and panics if a property does not hold.
//! libFuzzer calls `run` from the folder above; this crate's tests call it with the same seeds.
//!
//! This crate does not depend on libFuzzer.

#![allow(clippy::unwrap_used, reason = "a panic is how a target reports")]

pub mod checkpoint;
pub mod form;
pub mod grpc_web;
pub mod headers;
pub mod image;
pub mod infer;
pub mod jpeg;
pub mod model_folder;
pub mod onnx;
mod service;
