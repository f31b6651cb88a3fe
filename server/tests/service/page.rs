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
async fn the_page_is_served_beside_the_calls() {
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
