use std::path::PathBuf;

use axum::{
    Router,
    body::Body,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_http::services::ServeDir;

use crate::request::encoding::is_zero;

/// Where the page's files come from.
#[derive(Clone, Debug)]
pub(crate) enum PageSource {
    /// The program itself.
    Embedded,
    /// A folder, read again for each request.
    Folder(PathBuf),
}

/// What `build.rs` prepared: Trunk's output, or a placeholder. A file `x.br` is the compressed `x`.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/page"]
struct Files;

impl PageSource {
    /// Serves the page's files under `/`.
    pub(crate) fn routes(self) -> Router {
        let routes = match self {
            Self::Embedded => Router::new().fallback(get(embedded)),
            Self::Folder(folder) => Router::new().fallback_service(ServeDir::new(folder)),
        };
        routes.layer(middleware::map_response(guard))
    }
}

/// What the page may do: run its own scripts and WebAssembly, call its own server, show images that it holds itself, be
/// installed, and be there without a network. It may read from other sites, so that an address dropped on it can be fetched, by
/// the browser and without cookies: its scripts are its own, so no other site decides what is read.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' blob:; connect-src 'self' https:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds headers that forbid foreign scripts, framing by other pages, and guessing the content type.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn embedded(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let Some(file) = Files::get(path) else {
        return (StatusCode::NOT_FOUND, "There is no such page. Try /").into_response();
    };
    let etag = etag(&file);
    let caching = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, cache_control(path)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if is_known(&etag, &headers) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let media_type = [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned())];
    match accepts_brotli(&headers)
        .then(|| Files::get(&format!("{path}.br")))
        .flatten()
    {
        Some(brotli) => {
            let encoding = [(header::CONTENT_ENCODING, "br")];
            (caching, media_type, encoding, Body::from(brotli.data)).into_response()
        }
        None => (caching, media_type, Body::from(file.data)).into_response(),
    }
}

fn etag(file: &EmbeddedFile) -> HeaderValue {
    let digest = file.metadata.sha256_hash();
    let hexadecimal: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    HeaderValue::from_str(&format!("\"{hexadecimal}\"")).expect("quotes and digits")
}

/// Whether the client already has the file. Tags are compared weakly, because a proxy may have made ours weak.
fn is_known(etag: &HeaderValue, headers: &HeaderMap) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}

/// Trunk puts a hash of the content into the names of WASM and styles: such a file never changes. JavaScript is named after
/// the WASM, so it can change.
fn cache_control(path: &str) -> HeaderValue {
    let named_by_content = path.ends_with(".wasm") || path.ends_with(".css");
    HeaderValue::from_static(if named_by_content {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    })
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("br") && !is_zero(weight)
        })
}
