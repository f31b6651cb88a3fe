//! What is particular to plain HTTP; everything else is tested over all protocols.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use imageclassifier_proto::ClassifyImageRequest;
use serde_json::Value;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_types::StatusExt;

use crate::{
    app::{App, photograph},
    models::fixture::Dir,
    plain::read,
    protocol::{Http, Protocol, classify, send, send_to},
};

const PATH: &str = "/v1/classify";
const FORM: &str = "multipart/form-data; boundary=\"the border\"";

async fn post(app: &App, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
    let mut request = Request::post(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app.address, Http::One, request, body.into()).await
}

async fn get(app: &App, path: &str) -> Response<Bytes> {
    send(app.address, Http::One, Request::get(path), Bytes::new()).await
}

/// A form with a comment and, as a file or not, `bytes`.
fn form(file_name: &str, bytes: &[u8]) -> Bytes {
    let head = format!(
        "--the border\r\ncontent-disposition: form-data; name=\"comment\"\r\n\r\na cup\r\n\
         --the border\r\ncontent-disposition: form-data; name=\"image\"{file_name}\r\n\
         content-type: image/png\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--the border--\r\n"]
        .concat()
        .into()
}

fn reason(response: &Response<Bytes>) -> (Code, String) {
    let status = read(response).unwrap_err();
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map(|info| info.reason).unwrap_or_default(),
    )
}

#[tokio::test]
async fn accepts_an_image_of_any_content_type() {
    let app = App::start().await;
    let image = photograph("coffee.png");
    for content_type in [
        "image/png",
        "image/jpeg",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/plain",
    ] {
        let response = post(&app, &[("content-type", content_type)], image.clone()).await;
        assert_eq!(read(&response).unwrap().label, "espresso", "{content_type}");
    }
    let response = post(&app, &[], image.clone()).await;
    assert_eq!(read(&response).unwrap().label, "espresso");
    let file = form("; filename=\"cup.png\"", &image);
    let response = post(&app, &[("content-type", FORM)], file).await;
    assert_eq!(read(&response).unwrap().label, "espresso");
}

#[tokio::test]
async fn the_result_is_the_same_as_classifys() {
    let app = App::start().await;
    let request = ClassifyImageRequest {
        image_data: photograph("rocket.jpg"),
        top_k: 7,
        explain: true,
        ..Default::default()
    };
    let mut answers = Vec::new();
    for protocol in [Protocol::Grpc, Protocol::Plain(Http::One)] {
        let answer = classify(app.address, protocol, request.clone()).await;
        let mut answer = answer.unwrap();
        assert!(answer.timings.take().unwrap().inference_ms > 0.0);
        assert_eq!(answer.request_id.len(), 36);
        answer.request_id.clear();
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn finds_the_file_of_a_form_however_it_is_named() {
    let app = App::start().await;
    let image = photograph("coffee.png");
    let part = |head: &[u8], content: &[u8]| {
        [
            b"--the border\r\ncontent-disposition: form-data; ",
            head,
            b"\r\n\r\n",
            content,
            b"\r\n",
        ]
        .concat()
    };
    let comment = part(b"name=\"comment\"", b"a cup");
    let empty = part(b"name=\"other\"; filename=\"\"", b"");
    for (name, before, head) in [
        (
            "RFC 5987",
            &comment,
            &b"name=\"image\"; filename*=UTF-8''caf%C3%A9.png"[..],
        ),
        (
            "Latin-1",
            &comment,
            b"name=\"image\"; filename=\"caf\xe9.png\"",
        ),
        ("no file name", &comment, b"name=\"image\""),
        (
            "after an empty file",
            &empty,
            b"name=\"image\"; filename=\"cup.png\"",
        ),
    ] {
        let body = [
            before.clone(),
            part(head, &image),
            b"--the border--\r\n".to_vec(),
        ]
        .concat();
        let response = post(&app, &[("content-type", FORM)], body).await;
        let answer = read(&response).unwrap_or_else(|status| panic!("{name}: {status:?}"));
        assert_eq!(answer.label, "espresso", "{name}");
    }
}

#[tokio::test]
async fn values_are_read_whatever_their_case() {
    let app = App::start().await;
    let request =
        Request::post(format!("{PATH}?explain=True")).header("content-encoding", "Identity");
    let response = send(app.address, Http::Two, request, photograph("coffee.png")).await;
    let answer = read(&response).unwrap();
    assert!(answer.predictions[0].heatmap.is_some());
}

#[tokio::test]
async fn rejects_forms_without_a_file() {
    let app = App::with(&["--image-bytes-max", "1000000"]).await;
    let image = photograph("coffee.png");
    let far_too_long = form("; filename=\"x\"", &vec![0; 8_000_000]);
    let file = form("; filename=\"x\"", &image);
    let cut = file.slice(..file.len() / 2);
    for (content_type, body, code, expected) in [
        (
            FORM,
            form("", b"text"),
            Code::InvalidArgument,
            "MESSAGE_MALFORMED",
        ),
        (FORM, cut, Code::InvalidArgument, "MESSAGE_MALFORMED"),
        (
            FORM,
            Bytes::new(),
            Code::InvalidArgument,
            "MESSAGE_MALFORMED",
        ),
        (
            "multipart/form-data",
            file,
            Code::InvalidArgument,
            "MESSAGE_MALFORMED",
        ),
        (
            FORM,
            form("; filename=\"x\"", b""),
            Code::InvalidArgument,
            "IMAGE_EMPTY",
        ),
        (FORM, far_too_long, Code::InvalidArgument, "IMAGE_TOO_LARGE"),
    ] {
        let response = post(&app, &[("content-type", content_type)], body).await;
        assert_eq!(reason(&response), (code, expected.to_owned()));
    }
    assert!(app.metric("imageclassifier_upload_in_flight_bytes").await < 0.5);
}

#[tokio::test]
async fn rejects_bodies_declared_as_something_else_than_an_image() {
    let app = App::start().await;
    for header in [
        ("content-type", "application/grpc"),
        ("content-type", "application/grpc-web+proto"),
        ("content-encoding", "br"),
    ] {
        let response = post(&app, &[header], photograph("coffee.png")).await;
        assert_eq!(response.status(), 415, "{header:?}");
        let expected = (Code::InvalidArgument, "IMAGE_FORMAT_UNKNOWN".to_owned());
        assert_eq!(reason(&response), expected);
    }
}

#[tokio::test]
async fn rejects_an_invalid_query() {
    let app = App::start().await;
    for query in ["top_k=three", "topk=3", "explain=perhaps", "top_k=-1"] {
        let request = Request::post(format!("{PATH}?{query}"));
        let response = send(app.address, Http::Two, request, photograph("coffee.png")).await;
        assert_eq!(response.status(), 400, "{query}");
        let expected = (Code::InvalidArgument, "MESSAGE_MALFORMED".to_owned());
        assert_eq!(reason(&response), expected);
    }
}

/// A request rejected before its image is read is still read to its end: curl 7.88 shows no response if the stream is reset.
#[tokio::test]
async fn rejected_http2_clients_can_finish_sending_the_image() {
    const CHUNK_BYTES: usize = 1 << 20;
    let app = App::start().await;
    let stream = TcpStream::connect(app.address).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let (chunks, receiver) = mpsc::channel(1);
    let image = StreamBody::new(ReceiverStream::new(receiver));
    let request = Request::post(format!("http://{}{PATH}?top_k=three", app.address));
    let response = sender.send_request(request.body(image).unwrap()).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 400);
    response.into_body().collect().await.unwrap();
    for _ in 0..4 {
        let chunk = Bytes::from(vec![0; CHUNK_BYTES]);
        let taken = chunks.send(Ok::<_, Infallible>(Frame::data(chunk))).await;
        taken.expect("the stream is still open");
    }
}

#[tokio::test]
async fn what_is_not_there_says_what_is() {
    let app = App::start().await;
    for (method, path) in [("POST", "/v1/clasify"), ("PUT", PATH), ("DELETE", "/v1/")] {
        let request = Request::builder().method(method).uri(path);
        let response = send(app.address, Http::One, request, Bytes::new()).await;
        assert_eq!(response.status(), 404, "{method} {path}");
        let status = read(&response).unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "METHOD_UNKNOWN");
        assert!(status.message().contains("POST /v1/classify"));
    }
    let response = get(&app, PATH).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "POST");
}

#[tokio::test]
async fn only_pages_of_listed_origins_may_post() {
    let app = App::with(&["--cors-origin", "https://app.example.com"]).await;
    for version in [Http::One, Http::Two] {
        for (host, origin, site, expected) in [
            ("localhost", None, None, 415),
            (
                "localhost",
                Some("https://app.example.com"),
                Some("cross-site"),
                415,
            ),
            (
                "localhost",
                Some("https://evil.example.com"),
                Some("cross-site"),
                403,
            ),
            ("localhost", Some("https://evil.example.com"), None, 403),
            ("localhost", Some("null"), None, 403),
            ("evil.example.com", None, None, 421),
        ] {
            // What a page can send without asking first.
            let mut request = Request::post(PATH).header("content-type", "text/plain");
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            let response = send_to(app.address, host, version, request, "text".into()).await;
            assert_eq!(response.status(), expected, "{host}, {origin:?}, {site:?}");
            let readable = response.headers().get("access-control-allow-origin");
            let allowed = expected == 415 && origin.is_some();
            assert_eq!(readable.is_some(), allowed, "{host}, {origin:?}, {site:?}");
        }
    }
    let preflight = Request::options(PATH)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST");
    let response = send(app.address, Http::One, preflight, Bytes::new()).await;
    let allowed = &response.headers()["access-control-allow-origin"];
    assert_eq!(allowed, "https://app.example.com");
}

#[tokio::test]
async fn responses_carry_the_clients_request_id() {
    let app = App::start().await;
    let id = [("x-request-id", "caller-1_a")];
    let response = post(&app, &id, photograph("coffee.png")).await;
    assert_eq!(response.headers()["x-request-id"], "caller-1_a");
    assert_eq!(read(&response).unwrap().request_id, "caller-1_a");
}

#[tokio::test]
async fn the_openapi_file_is_served_and_names_every_field() {
    let dir = Dir::new().await;
    dir.write("drinks", &["coffee", "rocket"]);
    let app = App::with(&dir.options()).await;
    let response = get(&app, "/v1/openapi.json").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let openapi: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(openapi["openapi"], "3.1.0");
    assert!(openapi["paths"][PATH]["post"].is_object());

    let answer = async |query: &str| -> Value {
        let request = Request::post(format!("{PATH}?explain=true&top_k=1&{query}"));
        let answer = send(app.address, Http::One, request, photograph("coffee.png")).await;
        serde_json::from_slice(answer.body()).unwrap()
    };
    let plain = answer("").await;
    let answer = answer("model=drinks&embed=true").await;
    for optional in ["unknown", "known_score", "embedding"] {
        assert!(plain.get(optional).is_none(), "{optional}");
    }
    let rejection = post(&app, &[], "not an image").await;
    let rejection: Value = serde_json::from_slice(rejection.body()).unwrap();
    let prediction = &answer["predictions"][0];
    for (schema, value) in [
        ("Answer", &answer),
        ("Prediction", prediction),
        ("Heatmap", &prediction["heatmap"]),
        ("Crop", &answer["crop"]),
        ("Status", &rejection),
    ] {
        let described = &openapi["components"]["schemas"][schema]["properties"];
        let names = |value: &Value| {
            let fields = value.as_object().unwrap().keys();
            fields.cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(value), names(described), "{schema}");
    }
}

#[tokio::test]
async fn long_names_are_shortened_in_errors() {
    let app = App::start().await;
    let request = ClassifyImageRequest {
        image_data: photograph("coffee.png"),
        model: "é".repeat(100_000),
        ..Default::default()
    };
    let status = classify(app.address, Protocol::Grpc, request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().len() < 300, "{}", status.message().len());
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["model"], "é".repeat(32));
}
