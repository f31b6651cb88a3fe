//! What pages of other origins may do.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use crate::{
    app::App,
    protocol::{Http, send},
};

const PATH: &str = "/imageclassifier.ImageClassifier/GetModel";
/// GetModelRequest with no field set, framed.
const NO_FIELDS: Bytes = Bytes::from_static(&[0; 5]);

async fn preflight(app: &App, origin: &str) -> Response<Bytes> {
    let request = Request::options(PATH)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-grpc-web");
    send(app.address, Http::One, request, Bytes::new()).await
}

async fn call(app: &App, origin: &str) -> Response<Bytes> {
    let request = Request::post(PATH)
        .header("origin", origin)
        .header("content-type", "application/grpc-web+proto");
    send(app.address, Http::One, request, NO_FIELDS).await
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn accepts_only_listed_origins() {
    let app = App::with(&[
        "--cors-origin",
        "https://app.example.com,http://localhost:3000",
    ])
    .await;
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("http://localhost:3000", true),
        ("https://app.example.com.evil.org", false),
        ("http://app.example.com", false),
        ("null", false),
    ] {
        for response in [preflight(&app, origin).await, call(&app, origin).await] {
            let allow = header(&response, "access-control-allow-origin");
            assert_eq!(allow, allowed.then_some(origin));
            assert_eq!(header(&response, "access-control-allow-credentials"), None);
        }
    }
}

#[tokio::test]
async fn allowed_pages_can_read_errors() {
    let app = App::with(&["--cors-origin", "https://app.example.com"]).await;
    let response = call(&app, "https://app.example.com").await;
    let exposed = header(&response, "access-control-expose-headers").unwrap();
    for name in [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "x-request-id",
    ] {
        assert!(exposed.contains(name), "{name} not in {exposed}");
    }
    let response = preflight(&app, "https://app.example.com").await;
    assert_eq!(response.status(), StatusCode::OK);
    let allowed = header(&response, "access-control-allow-headers").unwrap();
    for name in ["content-type", "x-grpc-web", "grpc-timeout"] {
        assert!(allowed.contains(name), "{name} not in {allowed}");
    }
}

#[tokio::test]
async fn by_default_rejects_other_origins() {
    let app = App::start().await;
    let response = preflight(&app, "http://localhost:3000").await;
    assert_eq!(header(&response, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn responses_carry_the_request_id() {
    let app = App::start().await;
    let ask = async |id: &str| {
        let request = Request::post(PATH)
            .header("content-type", "application/grpc-web+proto")
            .header("x-request-id", id);
        let response = send(app.address, Http::One, request, NO_FIELDS).await;
        header(&response, "x-request-id").unwrap().to_owned()
    };
    assert_eq!(ask("caller-1_a").await, "caller-1_a");
    for unfit in ["two words", &"x".repeat(65), ""] {
        let own = ask(unfit).await;
        assert_ne!(own, unfit);
        assert_eq!(own.len(), 36, "a UUID");
    }
}
