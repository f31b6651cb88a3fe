use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// The first bytes of a file. Fails where it cannot be read any more.
pub(crate) async fn head(file: &Blob, bytes: i32) -> Result<Vec<u8>, JsValue> {
    bytes_of(&file.slice_with_i32_and_i32(0, bytes)?).await
}

/// All bytes of a file.
pub(crate) async fn whole(file: &Blob) -> Result<Vec<u8>, JsValue> {
    bytes_of(file).await
}

/// At most `length` bytes of a file from `start` on: fewer where it ends before.
pub(crate) async fn part(file: &Blob, start: f64, length: f64) -> Result<Vec<u8>, JsValue> {
    bytes_of(&file.slice_with_f64_and_f64(start, start + length)?).await
}

async fn bytes_of(part: &Blob) -> Result<Vec<u8>, JsValue> {
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
