//! Probes.

use std::fs;

use bytes::Bytes;
use http::Request;
use tonic::Code;

use super::{get, infer_over_http};
use crate::{
    app::App,
    oip::messages::{ENCODED, encoded},
    protocol::{Http, Protocol, call, send, send_to},
    script::{Script, order},
};

#[tokio::test]
async fn probes_need_neither_token_nor_name_and_everything_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    // `printf %s secret | sha256sum`
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    fs::write(&file, format!("page {digest}\n")).unwrap();
    let options = ["--token-file", file.to_str().unwrap()];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let model = format!("/v2/models/{ENCODED}");
    for (path, probe) in [
        ("/v2/health/live", true),
        ("/v2/health/ready", true),
        (&format!("{model}/ready"), true),
        ("/v2", false),
        (&model, false),
        (&format!("{model}/config"), false),
        (&format!("{model}/infer"), false),
    ] {
        let response = get(&app, path).await;
        assert_eq!(response.status(), if probe { 200 } else { 401 }, "{path}");
        let request = Request::get(path);
        let response = send_to(app.address, "cluster_1", Http::Two, request, Bytes::new()).await;
        assert_eq!(response.status(), if probe { 200 } else { 421 }, "{path}");
    }
    let request = Request::post("/v2/health/ready");
    let response = send_to(app.address, "cluster_1", Http::Two, request, Bytes::new()).await;
    assert_eq!(response.status(), 421);
    let request = Request::get("/v2").header("authorization", "Bearer secret");
    let response = send(app.address, Http::One, request, Bytes::new()).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn health_follows_the_server() {
    let script = Script::default();
    script.kill();
    let app = App::begin_with_stages(&[], script.stages()).await;
    let model = format!("/v2/models/{ENCODED}/ready");
    for (path, status) in [
        ("/v2/health/live", 200),
        ("/v2/health/ready", 503),
        (&*model, 503),
    ] {
        assert_eq!(get(&app, path).await.status(), status, "{path}");
    }
    let classified = call(app.address, Protocol::Plain(Http::One), &order(""), &[]).await;
    assert_eq!(classified.outcome.unwrap_err().code(), Code::Unavailable);
    let request = encoded(&[order("").image_data]);
    let status = infer_over_http(&app, &request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
