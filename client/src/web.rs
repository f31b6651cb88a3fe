//! What only a page has: uploads of files that the browser holds.

#[cfg(target_arch = "wasm32")]
mod blobs;
mod pieces;
