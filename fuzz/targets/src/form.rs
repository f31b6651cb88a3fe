//! Bodies posted to `/v1/classify`, as forms and plain. For any body, the response is valid JSON with a label or an error, and
//! does not depend on the sizes of the body's chunks.

use std::sync::OnceLock;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, Version, header};
use serde_json::Value;

use crate::service::{Response, Service};

/// A low limit, so that bodies over the limit are short.
const OPTIONS: [&str; 2] = ["--image-bytes-max", "1000"];

const CONTENT_TYPES: [&str; 6] = [
    "multipart/form-data; boundary=b",
    "Multipart/Form-Data;charset=utf-8; boundary=\"b\"",
    "multipart/form-data",
    "application/octet-stream",
    "image/png",
    "text/plain; charset=utf-8",
];
const QUERIES: [&str; 4] = ["", "?top_k=3", "?explain=true&top_k=2", "?model=unknown"];

/// Posts the body as a whole and in chunks. The first three bytes of `data` select the headers, the query and the chunk size.
pub fn run(data: &[u8]) {
    let &[headers, query, chunk, ref body @ ..] = data else {
        return;
    };
    let whole = post(headers, query, usize::MAX, body);
    let chunked = post(headers, query, usize::from(chunk).max(1), body);
    assert_eq!(whole, chunked, "the chunks changed the response");
}

/// Posts the body. Returns the HTTP status, and the reason if the request was rejected.
fn post(headers: u8, query: u8, chunk_bytes: usize, body: &[u8]) -> (StatusCode, Option<String>) {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let chunks: Vec<_> = body
        .chunks(chunk_bytes)
        .map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk)))
        .collect();
    let query = QUERIES[usize::from(query) % QUERIES.len()];
    let version = if headers < 128 {
        Version::HTTP_11
    } else {
        Version::HTTP_2
    };
    let content_type = CONTENT_TYPES[usize::from(headers) % CONTENT_TYPES.len()];
    let request = Request::post(format!("/v1/classify{query}"))
        .version(version)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from_stream(futures_util::stream::iter(chunks)));
    let service = SERVICE.get_or_init(|| Service::start(&OPTIONS, ""));
    outcome(&service.call(request.unwrap()))
}

fn outcome(response: &Response) -> (StatusCode, Option<String>) {
    let body: Value = serde_json::from_slice(&response.body).expect("the body is JSON");
    if response.http_status == StatusCode::OK {
        assert!(body["label"].is_string(), "{body}");
        return (response.http_status, None);
    }
    assert!(response.http_status.is_client_error(), "{body}");
    assert!(!body["message"].as_str().expect("a message").is_empty());
    let reason = body["details"][0]["reason"].as_str().expect("a reason");
    (response.http_status, Some(reason.to_owned()))
}
