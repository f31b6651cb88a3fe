use std::fs;

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use crate::{
    app::App,
    protocol::{Http, send},
};

async fn get(app: &App, path: &str, header: (&str, &str)) -> Response<Bytes> {
    let request = Request::get(path).header(header.0, header.1);
    send(app.address, Http::One, request, Bytes::new()).await
}

const NO_HEADER: (&str, &str) = ("accept", "*/*");

#[tokio::test]
async fn serves_the_page_beside_the_service() {
    let app = App::start().await;
    let page = get(&app, "/", NO_HEADER).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["content-type"], "text/html");
    assert!(page.body().starts_with(b"<!doctype html>"));

    let missing = get(&app, "/nothing/here", NO_HEADER).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let app = App::start().await;
    let first = get(&app, "/", NO_HEADER).await;
    let etag = first.headers()["etag"].to_str().unwrap();
    let second = get(&app, "/", ("if-none-match", etag)).await;
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    assert!(second.body().is_empty());
    for known in [
        format!("W/{etag}"),
        format!("\"other\", {etag}"),
        "*".to_owned(),
    ] {
        let again = get(&app, "/", ("if-none-match", &known)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
    }
    let changed = get(&app, "/", ("if-none-match", "\"other\"")).await;
    assert_eq!(changed.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_page_in_a_folder_is_served_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("index.html");
    fs::write(&index, "before").unwrap();
    let app = App::with(&["--web-root", folder.path().to_str().unwrap()]).await;
    assert_eq!(get(&app, "/", NO_HEADER).await.body(), "before");
    fs::write(&index, "after").unwrap();
    assert_eq!(get(&app, "/", NO_HEADER).await.body(), "after");
    assert_eq!(
        get(&app, "/../secret", NO_HEADER).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_page_has_a_content_security_policy() {
    let app = App::start().await;
    for path in ["/", "/nothing-here"] {
        let response = send(app.address, Http::One, Request::get(path), Bytes::new()).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        for forbidden in ["'unsafe-eval'", "unsafe-inline", "*"] {
            assert!(!policy.contains(forbidden), "{policy}");
        }
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
    }
}
