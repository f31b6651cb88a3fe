//! What every layer may need to know about a request, read from its head once.

use std::{net::IpAddr, time::Instant};

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};

use crate::request::{method::CLASSIFY_PATH, peer::Peer, request_id::RequestId};

pub(crate) use crate::request::method::Method;

/// How much of an unknown path the answer shows.
const PATH_BYTES_SHOWN: usize = 64;

/// The head of a request, as an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct RequestHead {
    pub(crate) id: RequestId,
    pub(crate) method: Method,
    pub(crate) protocol: Protocol,
    pub(crate) arrived_at: Instant,
    /// The client's address; `None` where there is no connection.
    pub(crate) client: Option<IpAddr>,
}

/// How a request is encoded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    GrpcWeb,
    GrpcWebText,
    /// No gRPC at all: an image as the body, JSON as the response.
    Http,
}

impl RequestHead {
    /// The head that [`parse_head`] has read.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Self {
        let head = extensions.get::<Self>();
        head.expect("`parse_head` lies around every handler")
            .clone()
    }
}

impl Protocol {
    pub(crate) const ALL: [Self; 4] = [Self::Grpc, Self::GrpcWeb, Self::GrpcWebText, Self::Http];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::GrpcWeb => "grpc-web",
            Self::GrpcWebText => "grpc-web-text",
            Self::Http => "http",
        }
    }

    /// The protocol of a content type, whatever its case and parameters. Only protobuf messages are supported.
    pub(crate) fn parse_content_type(content_type: &HeaderValue) -> Option<(Self, &'static str)> {
        let text = content_type.to_str().ok()?;
        let media_type = text.split(';').next()?.trim().to_ascii_lowercase();
        let known = match media_type.as_str() {
            "application/grpc" | "application/grpc+proto" => (Self::Grpc, "application/grpc"),
            "application/grpc-web" | "application/grpc-web+proto" => {
                (Self::GrpcWeb, "application/grpc-web+proto")
            }
            "application/grpc-web-text" | "application/grpc-web-text+proto" => {
                (Self::GrpcWebText, "application/grpc-web-text+proto")
            }
            _ => return None,
        };
        Some(known)
    }
}

/// Reads the head of each RPC and normalises its content type for the layers below. Everything else gets 415: a form that a
/// foreign page can post without a preflight must never pass for an RPC.
pub(crate) async fn parse_head(mut request: Request, next: Next) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let Some((protocol, content_type)) = content_type.and_then(Protocol::parse_content_type) else {
        let path = request.uri().path();
        return match Method::parse_path(path) {
            Method::Unknown => not_found(request.method(), path),
            _ => unsupported(),
        };
    };
    if protocol == Protocol::Grpc && request.version() < Version::HTTP_2 {
        const HELP: &str =
            "gRPC needs HTTP/2: use HTTP/2, or send gRPC-Web (application/grpc-web).\n";
        return (StatusCode::BAD_REQUEST, HELP).into_response();
    }
    normalise(request.headers_mut(), protocol, content_type);
    begin(protocol, request, next).await
}

/// Reads the head of a plain HTTP request, whatever its content type: only the check of origins keeps foreign pages away.
pub(crate) async fn parse_http_head(request: Request, next: Next) -> Response {
    begin(Protocol::Http, request, next).await
}

async fn begin(protocol: Protocol, mut request: Request, next: Next) -> Response {
    let arrived_at = Instant::now();
    let id = RequestId::from_headers(request.headers());
    let head = RequestHead {
        method: Method::parse_path(request.uri().path()),
        id: id.clone(),
        protocol,
        arrived_at,
        client: request.extensions().get().map(|&Peer(client)| client),
    };
    request.extensions_mut().insert(head);
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(RequestId::HEADER, id.into_header());
    response
}

/// The gRPC-Web layer compares content types literally, and answers in the type that `accept` names. The answer always gets
/// the type of the request.
fn normalise(headers: &mut HeaderMap, protocol: Protocol, content_type: &'static str) {
    let content_type = HeaderValue::from_static(content_type);
    if protocol != Protocol::Grpc {
        headers.insert(header::ACCEPT, content_type.clone());
    }
    headers.insert(header::CONTENT_TYPE, content_type);
}

fn unsupported() -> Response {
    const HELP: &str = "Requests are gRPC or gRPC-Web: send content-type application/grpc, application/grpc-web or \
                        application/grpc-web-text.\n";
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, HELP).into_response()
}

fn not_found(method: &http::Method, path: &str) -> Response {
    let path = &path[..path.floor_char_boundary(PATH_BYTES_SHOWN)];
    let help = format!(
        "There is nothing at {method} {path}. Images are posted to {CLASSIFY_PATH}; server reflection lists the gRPC methods.\n"
    );
    (StatusCode::NOT_FOUND, help).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_known_whatever_their_case_and_parameters() {
        let protocol = |text| {
            let value = HeaderValue::from_str(text).unwrap();
            Protocol::parse_content_type(&value).map(|(protocol, _)| protocol)
        };
        for (text, expected) in [
            ("application/grpc", Some(Protocol::Grpc)),
            ("application/grpc+proto", Some(Protocol::Grpc)),
            (
                "application/grpc-web+proto; charset=utf-8",
                Some(Protocol::GrpcWeb),
            ),
            ("Application/GRPC-Web", Some(Protocol::GrpcWeb)),
            (
                "application/grpc-web-text+proto;charset=UTF-8",
                Some(Protocol::GrpcWebText),
            ),
            ("application/grpc+json", None),
            ("application/grpcx", None),
            ("text/plain", None),
            ("text/plain; application/grpc", None),
            ("", None),
        ] {
            assert_eq!(protocol(text), expected, "{text:?}");
        }
    }
}
