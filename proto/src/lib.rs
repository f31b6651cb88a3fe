//! The wire contract of imageclassifier: `image_classifier.proto`, the Open Inference Protocol in `inference.proto`, the
//! Rust code generated from both, and `openapi.json` for plain HTTP. It knows no model, server or page.
//!
//! The generated code is committed, so a build needs neither `protoc` nor a code generator. A test regenerates the code
//! and compares. `cargo xtask generate` updates it.

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod generated {
    include!("generated/imageclassifier.rs");
}

pub use generated::*;

/// The messages and services of `inference.proto`, the Open Inference Protocol.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
pub mod inference {
    include!("generated/inference.rs");
}

#[cfg(feature = "json")]
pub mod json;

/// The encoded `google.protobuf.FileDescriptorSet` of the contract, for gRPC server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor_set.bin");

/// The OpenAPI description of `POST /v1/classify`, JSON.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Full name of the service, as used in request paths and health checks.
pub const SERVICE_NAME: &str = "imageclassifier.ImageClassifier";

/// Full name of the Open Inference Protocol's service.
pub const INFERENCE_SERVICE_NAME: &str = "inference.GRPCInferenceService";

/// The `domain` of every `google.rpc.ErrorInfo` that the service sends.
pub const ERROR_DOMAIN: &str = "imageclassifier";
