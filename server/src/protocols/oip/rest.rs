//! The protocol in plain HTTP: JSON, and tensors as bytes behind it (the binary tensor extension).

mod bounded;
mod elements;
mod request;
mod response;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::get,
};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    engine::{Engine, offload::Offload},
    protocols::{
        batch::RequestContext,
        classify::Service,
        http::{Rejection, json_response, no_such_method, read_body},
        oip::{SERVER_NAME, SERVER_VERSION, infer, is_model_ready, models::Model},
    },
    request::{error::RequestError, head::RequestHead, method::OIP_PATH},
};

/// Length of the JSON, if binary tensors follow it.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");
/// Longer bodies are read away from the runtime.
const INLINE_BYTES_MAX: usize = 64 << 10;
/// Responses about more images are also written there: numbers become text.
const INLINE_IMAGES_MAX: usize = 4;

/// The routes below [`OIP_PATH`].
pub(crate) fn routes(service: Service, offload: Offload) -> Router {
    let mut routes = Router::new()
        .route(OIP_PATH, get(server_metadata).fallback(unknown))
        .route("/v2/", get(server_metadata).fallback(unknown))
        .route("/v2/health/live", get(live).fallback(unknown))
        .route("/v2/health/ready", get(ready).fallback(unknown));
    for model in ["/v2/models/{name}", "/v2/models/{name}/versions/{version}"] {
        let infer = axum::routing::post(answer).fallback(unknown);
        routes = routes
            .route(model, get(model_metadata).fallback(unknown))
            .route(
                &format!("{model}/config"),
                get(model_config).fallback(unknown),
            )
            .route(
                &format!("{model}/ready"),
                get(model_ready).fallback(unknown),
            )
            .route(&format!("{model}/infer"), infer);
    }
    routes.with_state(Rest { service, offload })
}

#[derive(Clone)]
struct Rest {
    service: Service,
    offload: Offload,
}

/// The model in a path.
#[derive(Default, Deserialize)]
struct ModelPath {
    name: String,
    #[serde(default)]
    version: String,
}

type ModelPathResult = Result<Path<ModelPath>, PathRejection>;

impl ModelPath {
    /// A path that is not text names no model.
    fn of(path: ModelPathResult) -> Self {
        path.map_or_else(|_| Self::default(), |Path(path)| path)
    }
}

async fn live() -> Response {
    json_response(StatusCode::OK, &json!({ "live": true }))
}

async fn ready(State(rest): State<Rest>) -> Response {
    let ready = rest.engine().readiness().is_ready();
    json_response(readiness_status(ready), &json!({ "ready": ready }))
}

/// Gives no reason, because this route needs no access token.
async fn model_ready(State(rest): State<Rest>, path: ModelPathResult) -> Response {
    let ModelPath { name, version } = ModelPath::of(path);
    let ready = is_model_ready(rest.engine(), &name, &version);
    let status = match rest.engine().readiness().is_ready() && !ready {
        true => StatusCode::NOT_FOUND,
        false => readiness_status(ready),
    };
    json_response(status, &json!({ "name": name, "ready": ready }))
}

fn readiness_status(ready: bool) -> StatusCode {
    if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

async fn server_metadata() -> Response {
    let metadata = json!({
        "name": SERVER_NAME,
        "version": SERVER_VERSION,
        "extensions": ["binary_tensor_data", "classification", "model_configuration"],
    });
    json_response(StatusCode::OK, &metadata)
}

async fn model_metadata(
    State(rest): State<Rest>,
    path: ModelPathResult,
    request: Request,
) -> Response {
    rest.describe(path, &request, response::metadata)
}

async fn model_config(
    State(rest): State<Rest>,
    path: ModelPathResult,
    request: Request,
) -> Response {
    rest.describe(path, &request, response::config)
}

async fn answer(State(rest): State<Rest>, path: ModelPathResult, request: Request) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    match rest.answer(ModelPath::of(path), request).await {
        Ok(response) => response,
        Err(rejection) => rejection.into_response(rest.service.reporter(), &head),
    }
}

async fn unknown(State(rest): State<Rest>, request: Request) -> Response {
    no_such_method(State(rest.service), request).await
}

impl Rest {
    fn engine(&self) -> &Engine {
        self.service.engine()
    }

    fn describe(
        &self,
        path: ModelPathResult,
        request: &Request,
        description: impl Fn(&Model, &Engine) -> Value,
    ) -> Response {
        let ModelPath { name, version } = ModelPath::of(path);
        match Model::find(self.engine(), &name, &version) {
            Ok(model) => json_response(StatusCode::OK, &description(&model, self.engine())),
            Err(error) => {
                let head = RequestHead::from_extensions(request.extensions());
                self.service.reporter().reject(&head, &error)
            }
        }
    }

    async fn answer(&self, path: ModelPath, request: Request) -> Result<Response, Rejection> {
        // The parts hold the memory that is reserved for the body.
        let (parts, body) = request.into_parts();
        let context = RequestContext::new(&self.service, &parts.extensions);
        check_encoding(&parts.headers)?;
        let json_bytes = json_length(&parts.headers)?;
        let body = read_body(body).await?;
        let limits = self.engine().limits();
        let long = body.len() > INLINE_BYTES_MAX;
        let parse = move || request::parse(&body, json_bytes, limits);
        let (mut message, binary) = self.run(long, parse).await??;
        message.model_name = path.name;
        message.model_version = path.version;
        let inferred = infer(self.engine(), message, &context).await?;
        let long = inferred.images.len() > INLINE_IMAGES_MAX;
        let write = move || response::write(&inferred, &binary);
        Ok(self.run(long, write).await?)
    }

    /// Does `work`, away from the runtime if it takes long.
    async fn run<T: Send + 'static>(
        &self,
        long: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RequestError> {
        if long {
            self.offload.run(work).await
        } else {
            Ok(work())
        }
    }
}

/// An earlier layer has decoded the encodings that are known.
fn check_encoding(headers: &HeaderMap) -> Result<(), RequestError> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(RequestError::MessageCompressed)
        }
        _ => Ok(()),
    }
}

/// `None` if the whole body is JSON.
fn json_length(headers: &HeaderMap) -> Result<Option<usize>, RequestError> {
    let Some(value) = headers.get(JSON_LENGTH) else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    let length = length.ok_or_else(|| {
        request::malformed("Inference-Header-Content-Length is not a number of bytes".to_owned())
    })?;
    Ok(Some(length))
}
