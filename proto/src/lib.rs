//! The wire contract of imageclassifier: `image_classifier.proto`, the Open Inference Protocol in `inference.proto`, the
//! Rust code generated from both, and `openapi.json` for plain HTTP. Knows no model, no server and no page.
//!
//! The generated code is committed, so that building needs neither `protoc` nor a code generator; a test regenerates it
//! and compares. `cargo xtask generate` writes it anew.

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod generated {
    include!("generated/imageclassifier.rs");
}

pub use generated::*;

/// The Open Inference Protocol, of `inference.proto`.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
pub mod inference {
    include!("generated/inference.rs");
}

#[cfg(feature = "json")]
pub mod json;

/// The encoded `google.protobuf.FileDescriptorSet` of the contract, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor_set.bin");

/// `POST /v1/classify` as OpenAPI describes it.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Full name of the service, as it stands in request paths and in health checks.
pub const SERVICE_NAME: &str = "imageclassifier.ImageClassifier";

/// The same of the Open Inference Protocol's service.
pub const INFERENCE_SERVICE_NAME: &str = "inference.GRPCInferenceService";

/// The `domain` of every `google.rpc.ErrorInfo` that the service sends.
pub const ERROR_DOMAIN: &str = "imageclassifier";
