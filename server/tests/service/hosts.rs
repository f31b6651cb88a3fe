//! By which names, and with which requests, browsers reach the service: a table.

use bytes::Bytes;
use http::{Request, StatusCode};

use crate::{
    app::App,
    protocol::{Http, send_to},
    script::Script,
};

const PATH: &str = "/imageclassifier.ImageClassifier/GetModel";
/// GetModelRequest with no field set, framed.
const NO_FIELDS: Bytes = Bytes::from_static(&[0; 5]);

#[tokio::test]
async fn only_what_is_allowed_passes() {
    let app = App::with(&[
        "--cors-origin",
        "https://app.example.com",
        "--allowed-host",
        "images.example.com",
    ])
    .await;
    let own = app.address.to_string();
    let own_origin = format!("http://{own}");
    let hosts = [
        (own.as_str(), true),
        ("localhost", true),
        ("images.example.com:443", true),
        ("IMAGES.example.com", true),
        ("evil.example.com", false),
        ("localhost.evil.example.com", false),
    ];
    let origins = [
        (None, true),
        (Some("https://app.example.com"), true),
        (Some("https://evil.example.com"), false),
        (Some("null"), false),
    ];
    let content_types = [
        ("application/grpc-web+proto", true),
        ("application/grpc-web+proto; charset=utf-8", true),
        ("application/grpc-web-text", true),
        ("text/plain", false),
        ("application/x-www-form-urlencoded", false),
        ("application/grpc-web+json", false),
    ];
    for version in [Http::One, Http::Two] {
        for (host, host_allowed) in hosts {
            for (origin, origin_allowed) in origins {
                for (content_type, content_type_allowed) in content_types {
                    let mut request = Request::post(PATH).header("content-type", content_type);
                    if let Some(origin) = origin {
                        request = request.header("origin", origin);
                    }
                    let response = send_to(app.address, host, version, request, NO_FIELDS).await;
                    let expected = if !host_allowed {
                        StatusCode::MISDIRECTED_REQUEST
                    } else if !origin_allowed {
                        StatusCode::FORBIDDEN
                    } else if !content_type_allowed {
                        StatusCode::UNSUPPORTED_MEDIA_TYPE
                    } else {
                        StatusCode::OK
                    };
                    let name = format!("{version:?} {host} {origin:?} {content_type}");
                    assert_eq!(response.status(), expected, "{name}");
                }
            }
        }
        let request = Request::post(PATH)
            .header("content-type", "application/grpc-web+proto")
            .header("origin", &own_origin)
            .header("sec-fetch-site", "same-origin");
        let response = send_to(app.address, &own, version, request, NO_FIELDS).await;
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "the page itself, {version:?}"
        );
        let page = Request::get("/");
        let response = send_to(app.address, "evil.example.com", version, page, Bytes::new()).await;
        assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    }
}

#[tokio::test]
async fn accepts_the_address_that_it_listens_on_as_host() {
    for listen in ["127.0.0.2:0", "[::1]:0", "[::ffff:127.0.0.3]:0"] {
        let app = App::with_stages(&["--listen", listen], Script::default().stages()).await;
        let own = app.address.to_string();
        for (host, expected) in [
            (own.as_str(), StatusCode::OK),
            ("localhost", StatusCode::OK),
            ("127.0.0.9", StatusCode::MISDIRECTED_REQUEST),
        ] {
            for version in [Http::One, Http::Two] {
                let request = Request::post(PATH).header("content-type", "application/grpc-web");
                let response = send_to(app.address, host, version, request, NO_FIELDS).await;
                assert_eq!(
                    response.status(),
                    expected,
                    "{host} at {listen}, {version:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn grpc_web_text_gets_text_even_without_accept() {
    let app = App::start().await;
    let request = Request::post(PATH).header("content-type", "application/grpc-web-text");
    let host = app.address.to_string();
    let response = send_to(app.address, &host, Http::One, request, "AAAAAAA=".into()).await;
    let content_type = response.headers()["content-type"].to_str().unwrap();
    assert!(
        content_type.starts_with("application/grpc-web-text"),
        "{content_type}"
    );
    assert!(response.body().iter().all(u8::is_ascii), "not text");
}

/// Proxies check the health of a server by a name of their own, Envoy by that of its cluster.
#[tokio::test]
async fn health_is_answered_under_any_name_and_nothing_else_is() {
    let app = App::with(&["--cors-origin", "https://app.example.com"]).await;
    let misdirected = StatusCode::MISDIRECTED_REQUEST;
    for (path, expected) in [
        ("/grpc.health.v1.Health/Check", StatusCode::OK),
        ("/inference.GRPCInferenceService/ServerLive", StatusCode::OK),
        (
            "/inference.GRPCInferenceService/ServerReady",
            StatusCode::OK,
        ),
        ("/inference.GRPCInferenceService/ModelReady", StatusCode::OK),
        ("/grpc.health.v1.Healthy/Check", misdirected),
        (
            "/inference.GRPCInferenceService/ServerMetadata",
            misdirected,
        ),
        ("/inference.GRPCInferenceService/ModelInfer", misdirected),
        (
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            misdirected,
        ),
        (PATH, misdirected),
        ("/v1/classify", misdirected),
    ] {
        for (content_type, version) in [
            ("application/grpc", Http::Two),
            ("application/grpc-web", Http::Two),
            ("application/grpc-web", Http::One),
        ] {
            let request = Request::post(path).header("content-type", content_type);
            let response = send_to(app.address, "cluster_1", version, request, NO_FIELDS).await;
            assert_eq!(response.status(), expected, "{path}, {version:?}");
        }
    }
    // Foreign pages are kept away all the same.
    for (method, origin, expected) in [
        ("GET", None, misdirected),
        ("OPTIONS", Some("https://app.example.com"), misdirected),
        (
            "POST",
            Some("https://evil.example.com"),
            StatusCode::FORBIDDEN,
        ),
    ] {
        let request = Request::builder().method(method);
        let mut request = request.uri("/grpc.health.v1.Health/Check");
        request = request.header("content-type", "application/grpc-web");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = send_to(app.address, "cluster_1", Http::One, request, NO_FIELDS).await;
        assert_eq!(response.status(), expected, "{method}");
    }
}
