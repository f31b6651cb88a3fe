use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

/// The response that `window.fetch` promises. An error unless its status is a success.
pub(crate) async fn response(fetching: JsFuture) -> Result<Response, JsValue> {
    let response: Response = fetching.await?.unchecked_into();
    if response.ok() {
        Ok(response)
    } else {
        Err(response.status().into())
    }
}

/// As [`response`], with the whole body.
pub(crate) async fn blob(fetching: JsFuture) -> Result<Blob, JsValue> {
    let body = response(fetching).await?.blob()?;
    Ok(JsFuture::from(body).await?.unchecked_into())
}

/// One of the page's own files, as a text.
pub(crate) async fn text(url: &str) -> Result<String, JsValue> {
    let response = response(window().fetch_with_str(url).into()).await?;
    let text = JsFuture::from(response.text()?).await?;
    Ok(text.as_string().unwrap_or_default())
}
