//! Which pages may call the server, by the origin that their browser sends.

use std::{io, time::Duration};

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use http_body::Body;
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    csrf::CsrfLayer,
};

use crate::request::error::excerpt;

/// Rejects POST requests from pages of other origins: the browser states a request's origin.
pub(crate) fn csrf(origins: &[HeaderValue]) -> io::Result<CsrfLayer> {
    let mut layer = CsrfLayer::new();
    for origin in origins {
        let origin = origin.to_str().map_err(io::Error::other)?;
        layer = layer.add_trusted_origin(origin).map_err(io::Error::other)?;
    }
    Ok(layer)
}

/// How long a browser may cache the answer to a preflight.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(7200);

/// Lets pages of the listed origins send requests, and read what the response says about them.
pub(crate) fn cors(origins: &[HeaderValue]) -> CorsLayer {
    const SENT: [&str; 12] = [
        "content-type",
        "content-encoding",
        "inference-header-content-length",
        "grpc-encoding",
        "x-grpc-web",
        "x-user-agent",
        "grpc-timeout",
        "grpc-accept-encoding",
        "authorization",
        "x-request-id",
        "traceparent",
        "tracestate",
    ];
    const READ: [&str; 8] = [
        "inference-header-content-length",
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "grpc-encoding",
        "grpc-retry-pushback-ms",
        "retry-after",
        "x-request-id",
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::POST])
        .allow_headers(SENT.map(HeaderName::from_static))
        .expose_headers(READ.map(HeaderName::from_static))
        .max_age(PREFLIGHT_LIFETIME)
}

/// Tells pages of other origins why they are rejected, which [`csrf`] does not.
pub(crate) async fn explain(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let response = next.run(request).await;
    let is_empty = response.body().size_hint().exact() == Some(0);
    if response.status() != StatusCode::FORBIDDEN || !is_empty {
        return response;
    }
    let origin = origin.as_ref().and_then(|origin| origin.to_str().ok());
    let pages = match origin {
        Some(origin) => format!("Pages of the origin {:?}", excerpt(origin)),
        None => "Pages of other sites".to_owned(),
    };
    let help = format!("{pages} may not call this server: start it with --cors-origin ORIGIN.\n");
    (StatusCode::FORBIDDEN, help).into_response()
}
