//! One Rust client of the image classifier, for native programs (gRPC over HTTP/2) and for WebAssembly in a browser
//! (gRPC-Web over fetch). Only [`transport`](self) differs. Knows the contract, and neither server, model nor page.

mod classifier;
mod error;
#[cfg_attr(target_arch = "wasm32", path = "transport_web.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "transport_native.rs")]
mod transport;

pub use classifier::{Classifier, ClassifyOptions};
pub use error::{CallError, ErrorKind};
#[cfg(feature = "json")]
pub use imageclassifier_proto::json;
pub use imageclassifier_proto::{
    ClassifyImageResponse as Answer, ErrorReason, GetModelResponse as ModelDescription, Limits,
    Prediction, Preprocessing, Timings,
};
