//! One Rust client of the image classifier, for native programs (gRPC over HTTP/2) and for WebAssembly in a browser
//! (gRPC-Web over XMLHttpRequest). It knows the contract, and neither server, model nor page.
//!
//! `transport` has one implementation for each of the two. On top of it, `native` and `web` hold what only one of them has. `retry`
//! sends requests of native programs again; a page shows errors and lets its user decide.

mod classifier;
mod error;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(not(target_arch = "wasm32"))]
mod retry;
mod transport;
mod upload;
// Its parts that need no browser are tested natively.
#[cfg(any(target_arch = "wasm32", test))]
mod web;

pub use classifier::{Classifier, ClassifyOptions};
pub use error::{CallError, ErrorKind};
#[cfg(feature = "json")]
pub use imageclassifier_proto::json;
pub use imageclassifier_proto::{
    ClassifyImageResponse as Answer, Crop, EmbedResponse as EmbeddedImage, ErrorReason,
    GetModelResponse as ModelDescription, Heatmap, Limits, ListModelsResponse as ModelList,
    ModelState, ModelSummary, Prediction, Preprocessing, Timings,
};
#[cfg(not(target_arch = "wasm32"))]
#[allow(deprecated, reason = "the old name stays for one release")]
pub use native::patiently;
#[cfg(not(target_arch = "wasm32"))]
pub use native::{Health, StreamOptions, with_retries};
#[cfg(not(target_arch = "wasm32"))]
pub use retry::RetryBudget;
pub use upload::UploadWatch;
