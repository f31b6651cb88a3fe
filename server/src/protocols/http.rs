//! The way in for a shell: a picture as the body of a POST, JSON as the answer.

mod form;
mod json;
mod query;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use imageclassifier_proto::{ClassifyImageRequest, OPENAPI, json as proto_json};
use serde::Serialize;
use tonic::Status;

use crate::{
    guard::deadline::Deadline,
    protocols::classify::Service,
    request::{
        error::Failure,
        head::{CLASSIFY_PATH, Call, Protocol},
    },
};
pub(crate) use json::as_json;

const OPENAPI_PATH: &str = "/v1/openapi.json";

/// What is posted.
pub(crate) fn calls(service: Service) -> Router {
    let classify = post(classify).fallback(no_such_method);
    Router::new()
        .route(CLASSIFY_PATH, classify)
        .fallback(no_such_method)
        .with_state(service)
}

/// What is read.
pub(crate) fn documents() -> Router {
    let openapi = async || ([(header::CONTENT_TYPE, "application/json")], OPENAPI);
    let classify = async || {
        const HELP: &str =
            "Post a picture: curl --data-binary @cat.jpg http://HOST:PORT/v1/classify\n";
        let allow = [(header::ALLOW, "POST")];
        (StatusCode::METHOD_NOT_ALLOWED, allow, HELP)
    };
    Router::new()
        .route(OPENAPI_PATH, get(openapi))
        .route(CLASSIFY_PATH, get(classify))
}

/// Whether what is not read is for [`calls`].
pub(crate) fn is_call(path: &str) -> bool {
    path.starts_with("/v1/")
}

async fn classify(State(service): State<Service>, request: Request) -> Response {
    let call = Call::of(request.extensions());
    match answer(&service, &call, request).await {
        Ok(answer) => answer,
        Err(Refusal::Ours(failure)) => service.refusals().refuse(&call, &failure),
        Err(Refusal::Upload(status)) => status.into_http::<Body>(),
    }
}

/// Why there is no answer.
enum Refusal {
    /// Yet to be logged and counted.
    Ours(Failure),
    /// By whoever watches over the upload, who has done that.
    Upload(Status),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Ours(failure)
    }
}

async fn answer(service: &Service, call: &Call, request: Request) -> Result<Response, Refusal> {
    let Deadline(deadline) = Deadline::of(request.extensions());
    let query = query::read(request.uri().query().unwrap_or_default())?;
    check_body(request.headers())?;
    let image_data = form::image(request).await?;
    let request = ClassifyImageRequest {
        image_data,
        ..query
    };
    let answer = service.answer(request, call, deadline).await?;
    Ok(json_response(
        StatusCode::OK,
        &proto_json::Answer::from(&answer),
    ))
}

/// Neither a call of another kind nor compressed.
fn check_body(headers: &HeaderMap) -> Result<(), Failure> {
    let refuse = |value: &HeaderValue| {
        let sent = String::from_utf8_lossy(value.as_bytes()).into_owned();
        Err(Failure::NotSentAsImage { sent })
    };
    match headers.get(header::CONTENT_TYPE) {
        Some(content_type) if Protocol::of(content_type).is_some() => return refuse(content_type),
        _ => {}
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => refuse(encoding),
        _ => Ok(()),
    }
}

fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("text and numbers are JSON");
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, body).into_response()
}

async fn no_such_method(State(service): State<Service>, request: Request) -> Response {
    const HELP: &str = "POST /v1/classify, or GET /v1/openapi.json";
    let call = Call::of(request.extensions());
    let failure = Failure::UnknownMethod { help: HELP };
    service.refusals().refuse(&call, &failure)
}
