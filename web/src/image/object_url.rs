use wasm_bindgen::JsValue;
use web_sys::{Blob, Url};

/// The address of a blob in this page. While it lives, the browser keeps the blob.
pub(crate) struct ObjectUrl(String);

impl ObjectUrl {
    pub(crate) fn new(blob: &Blob) -> Result<Self, JsValue> {
        Url::create_object_url_with_blob(blob).map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // It can fail only if the browser has no object URLs, and then there is none to revoke.
        let _ = Url::revoke_object_url(&self.0);
    }
}
