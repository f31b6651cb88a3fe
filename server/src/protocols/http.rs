//! Plain HTTP, for shells: an image as the body of a POST, JSON as the response.

mod form;
mod json;
mod query;
mod rejection;

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use imageclassifier_proto::{ClassifyImageRequest, OPENAPI, json as proto_json};

use crate::{
    guard::deadline::Deadline,
    protocols::classify::Service,
    request::{
        error::RequestError,
        head::{Protocol, RequestHead},
        method::CLASSIFY_PATH,
    },
};
pub(crate) use json::{as_json, json_response};
pub(crate) use rejection::{Rejection, read_body};

const OPENAPI_PATH: &str = "/v1/openapi.json";

/// The routes for POST.
pub(crate) fn routes(service: Service) -> Router {
    let classify = post(classify).fallback(no_such_method);
    Router::new()
        .route(CLASSIFY_PATH, classify)
        .fallback(no_such_method)
        .with_state(service)
}

/// The routes for GET.
pub(crate) fn documents() -> Router {
    let openapi = async || ([(header::CONTENT_TYPE, "application/json")], OPENAPI);
    let classify = async || {
        const HELP: &str =
            "Post an image: curl --data-binary @cat.jpg http://HOST:PORT/v1/classify\n";
        let allow = [(header::ALLOW, "POST")];
        (StatusCode::METHOD_NOT_ALLOWED, allow, HELP)
    };
    Router::new()
        .route(OPENAPI_PATH, get(openapi))
        .route(CLASSIFY_PATH, get(classify))
}

/// Whether a request other than GET and HEAD is for [`routes`].
pub(crate) fn handles(path: &str) -> bool {
    path.starts_with("/v1/")
}

async fn classify(State(service): State<Service>, request: Request) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    match answer(&service, &head, request).await {
        Ok(answer) => answer,
        Err(rejection) => rejection.into_response(service.reporter(), &head),
    }
}

async fn answer(
    service: &Service,
    head: &RequestHead,
    request: Request,
) -> Result<Response, Rejection> {
    let Deadline(deadline) = Deadline::from_extensions(request.extensions());
    let query = query::parse_query(request.uri().query().unwrap_or_default())?;
    check_body(request.headers())?;
    let image_data = form::image(request).await?;
    let request = ClassifyImageRequest {
        image_data,
        ..query
    };
    let answer = service.answer(request, head, deadline).await?;
    Ok(json_response(
        StatusCode::OK,
        &proto_json::Answer::from(&answer),
    ))
}

/// Rejects gRPC requests and bodies with an unknown compression.
fn check_body(headers: &HeaderMap) -> Result<(), RequestError> {
    let reject = |value: &HeaderValue| {
        let sent = String::from_utf8_lossy(value.as_bytes()).into_owned();
        Err(RequestError::NotSentAsImage { sent })
    };
    match headers.get(header::CONTENT_TYPE) {
        Some(content_type) if Protocol::parse_content_type(content_type).is_some() => {
            return reject(content_type);
        }
        _ => {}
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            reject(encoding)
        }
        _ => Ok(()),
    }
}

pub(crate) async fn no_such_method(State(service): State<Service>, request: Request) -> Response {
    const HELP: &str = "POST /v1/classify, POST /v2/models/NAME/infer, or GET /v1/openapi.json";
    let head = RequestHead::from_extensions(request.extensions());
    let error = RequestError::UnknownMethod { help: HELP };
    service.reporter().reject(&head, &error)
}
