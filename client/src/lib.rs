//! One Rust client of the image classifier, for native programs (gRPC over HTTP/2) and for WebAssembly in a browser
//! (gRPC-Web over XMLHttpRequest). Only [`transport`](self) differs. Knows the contract, and neither server, model nor page.

#[cfg(target_arch = "wasm32")]
mod blobs;
mod classifier;
mod error;
#[cfg(any(target_arch = "wasm32", test))]
mod frames;
#[cfg(not(target_arch = "wasm32"))]
mod health;
#[cfg(any(target_arch = "wasm32", test))]
mod pieces;
#[cfg(not(target_arch = "wasm32"))]
mod retry;
#[cfg(not(target_arch = "wasm32"))]
mod stream;
#[cfg_attr(target_arch = "wasm32", path = "transport_web.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "transport_native.rs")]
mod transport;
mod upload;
#[cfg(target_arch = "wasm32")]
mod xhr;

pub use classifier::{Classifier, ClassifyOptions};
pub use error::{CallError, ErrorKind};
#[cfg(not(target_arch = "wasm32"))]
pub use health::Health;
#[cfg(feature = "json")]
pub use imageclassifier_proto::json;
pub use imageclassifier_proto::{
    ClassifyImageResponse as Answer, Crop, ErrorReason, GetModelResponse as ModelDescription,
    Heatmap, Limits, Prediction, Preprocessing, Timings,
};
#[cfg(not(target_arch = "wasm32"))]
pub use retry::patiently;
#[cfg(not(target_arch = "wasm32"))]
pub use stream::StreamOptions;
pub use upload::UploadWatch;
