//! One POST by XMLHttpRequest.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use futures_channel::oneshot;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Blob, ProgressEvent, XmlHttpRequest, XmlHttpRequestResponseType};

use crate::UploadWatch;

/// The body of the request.
pub(crate) enum Message {
    Bytes(Bytes),
    Blob(Blob),
}

/// The response, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The browser got no response, or does not let the page see it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the browser could not reach the server")]
pub(crate) struct Unreachable;

impl From<JsValue> for Unreachable {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// A request in flight. Dropping it aborts the request and frees its callbacks.
struct Underway {
    request: XmlHttpRequest,
    _on_end: Closure<dyn FnMut()>,
    _on_sent: Option<Sent>,
}

struct Sent {
    _on_progress: Closure<dyn FnMut(ProgressEvent)>,
    _on_all: Closure<dyn FnMut()>,
}

/// Sends `message` and waits for the whole response.
pub(crate) async fn post(
    url: &str,
    headers: &HeaderMap,
    message: &Message,
    watch: Option<UploadWatch>,
) -> Result<Reply, Unreachable> {
    let request = XmlHttpRequest::new()?;
    request.open_with_async("POST", url, true)?;
    request.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    for (name, value) in headers {
        let value = value.to_str().map_err(|_| Unreachable)?;
        request.set_request_header(name.as_str(), value)?;
    }
    let (ended, end) = oneshot::channel();
    let underway = Underway {
        _on_end: on_end(&request, ended),
        _on_sent: watch.map(|watch| on_sent(&request, watch)).transpose()?,
        request,
    };
    match message {
        Message::Bytes(bytes) => {
            let bytes = Uint8Array::from(&**bytes);
            underway.request.send_with_opt_js_u8_array(Some(&bytes))?;
        }
        Message::Blob(blob) => underway.request.send_with_opt_blob(Some(blob))?,
    }
    end.await.map_err(|_| Unreachable)?;
    reply(&underway.request)
}

/// `loadend` comes once, however the request ends.
fn on_end(request: &XmlHttpRequest, ended: oneshot::Sender<()>) -> Closure<dyn FnMut()> {
    let ended = Rc::new(RefCell::new(Some(ended)));
    let on_end = Closure::<dyn FnMut()>::new(move || {
        if let Some(ended) = ended.borrow_mut().take() {
            let _ = ended.send(()); // the receiver is gone after an abort
        }
    });
    request.set_onloadend(Some(on_end.as_ref().unchecked_ref()));
    on_end
}

fn on_sent(request: &XmlHttpRequest, watch: UploadWatch) -> Result<Sent, Unreachable> {
    let upload = request.upload()?;
    let all = watch.clone();
    let on_progress = Closure::<dyn FnMut(_)>::new(move |event: ProgressEvent| {
        if event.length_computable() && event.total() > 0.0 {
            watch.report(event.loaded() / event.total());
        }
    });
    let on_all = Closure::<dyn FnMut()>::new(move || all.report(1.0));
    upload.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    upload.set_onload(Some(on_all.as_ref().unchecked_ref()));
    Ok(Sent {
        _on_progress: on_progress,
        _on_all: on_all,
    })
}

fn reply(request: &XmlHttpRequest) -> Result<Reply, Unreachable> {
    // 0, which is no status, where there was no response.
    let status = StatusCode::from_u16(request.status()?).map_err(|_| Unreachable)?;
    let body: ArrayBuffer = request.response()?.dyn_into().map_err(|_| Unreachable)?;
    Ok(Reply {
        status,
        headers: headers(&request.get_all_response_headers()?),
        body: Uint8Array::new(&body).to_vec().into(),
    })
}

/// From the browser's list: `name: value`, one per line. Invalid lines are left out.
fn headers(listed: &str) -> HeaderMap {
    let parse = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.trim()).ok()?))
    };
    listed.lines().filter_map(parse).collect()
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.request.set_onloadend(None);
        if let Ok(upload) = self.request.upload() {
            upload.set_onprogress(None);
            upload.set_onload(None);
        }
        // After the end it does nothing.
        let _ = self.request.abort();
    }
}
