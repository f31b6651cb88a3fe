//! gRPC-Web requests. For any body, the response is well-formed, and has the same status as over native gRPC.

use std::sync::OnceLock;

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Version, header};

use crate::service::{Response, Service};

/// A low limit, so that messages over the limit are short.
const OPTIONS: [&str; 2] = ["--image-bytes-max", "1000"];

const PATHS: [&str; 9] = [
    "/imageclassifier.ImageClassifier/Classify",
    "/imageclassifier.ImageClassifier/GetModel",
    "/imageclassifier.ImageClassifier/Unknown",
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/",
    "/inference.GRPCInferenceService/ModelInfer",
    "/imageclassifier.ImageClassifier/ClassifyBatch",
    "/imageclassifier.ImageClassifier/ClassifyStream",
];

/// How to send the body. The first bytes of the data determine it.
struct Plan {
    path: &'static str,
    version: Version,
    content_type: &'static str,
    encoding: Encoding,
    chunk_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Binary,
    /// Sends the body as base64.
    Text,
    /// Sends the body as it is, declared as base64.
    RawAsText,
}

/// Sends a body, and compares the response's status with that of the same body over native gRPC.
pub fn run(data: &[u8]) {
    let &[path, format, chunk, ref body @ ..] = data else {
        return;
    };
    let plan = Plan::of(path, format, chunk);
    let sent = match plan.encoding {
        Encoding::Text => BASE64_STANDARD.encode(body).into(),
        Encoding::Binary | Encoding::RawAsText => body.to_owned(),
    };
    let response = call(&plan, plan.content_type, plan.version, &sent);
    assert_eq!(response.http_status, 200);
    let status = web_status(&response, plan.encoding != Encoding::Binary);

    let message = match plan.encoding {
        Encoding::Binary | Encoding::Text => Some(body.to_owned()),
        // Decoders differ in what they accept, so this compares only strictly valid base64.
        Encoding::RawAsText => BASE64_STANDARD.decode(body).ok(),
    };
    if let Some(message) = message {
        let native = call(&plan, "application/grpc", Version::HTTP_2, &message);
        assert_eq!(native.http_status, 200);
        assert_eq!(
            Some(status),
            native.grpc_status(),
            "the status differs from native gRPC"
        );
    }
}

impl Plan {
    fn of(path: u8, format: u8, chunk: u8) -> Self {
        let (content_type, encoding) = match format % 6 {
            0 => ("application/grpc-web", Encoding::Binary),
            1 => (
                "Application/gRPC-Web+proto; charset=utf-8",
                Encoding::Binary,
            ),
            2 => ("application/grpc-web-text", Encoding::Text),
            3 => ("application/grpc-web-text+proto;a=b", Encoding::Text),
            4 => ("application/grpc-web-text", Encoding::RawAsText),
            _ => (" application/grpc-web-text+proto ", Encoding::RawAsText),
        };
        Self {
            path: PATHS[usize::from(path) % PATHS.len()],
            version: if format < 128 {
                Version::HTTP_11
            } else {
                Version::HTTP_2
            },
            content_type,
            encoding,
            chunk_bytes: usize::from(chunk).max(1),
        }
    }
}

fn call(plan: &Plan, content_type: &str, version: Version, sent: &[u8]) -> Response {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let chunks: Vec<_> = sent
        .chunks(plan.chunk_bytes)
        .map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk)))
        .collect();
    let request = Request::post(plan.path)
        .version(version)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, content_type)
        .header(header::TE, "trailers")
        .body(Body::from_stream(futures_util::stream::iter(chunks)));
    let service = SERVICE.get_or_init(|| Service::start(&OPTIONS, ""));
    service.call(request.unwrap())
}

/// The status in the trailers frame at the end, or in the headers of a response without a body.
fn web_status(response: &Response, text: bool) -> u16 {
    let content_type = response.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert_eq!(content_type.starts_with("application/grpc-web-text"), text);
    assert!(
        response.trailers.is_empty(),
        "gRPC-Web sends no HTTP trailers"
    );
    let mut rest = if text {
        &*from_base64(&response.body)
    } else {
        &*response.body
    };
    if rest.is_empty() {
        return response
            .grpc_status()
            .expect("a response without a body has its status in the headers");
    }
    loop {
        let (&[flag, a, b, c, d], after) = rest.split_first_chunk().expect("a frame");
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let (frame, after) = after.split_at_checked(length).expect("a complete frame");
        if flag == 0x80 {
            assert!(after.is_empty(), "trailers come last");
            return status_of(frame);
        }
        assert_eq!(flag, 0, "neither message nor trailers");
        rest = after;
    }
}

fn status_of(trailers: &[u8]) -> u16 {
    let text = str::from_utf8(trailers).unwrap();
    let mut statuses = text
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("grpc-status:"));
    let status = statuses.next().expect("the trailers have a status");
    assert!(statuses.next().is_none(), "more than one status");
    status.trim().parse().unwrap()
}

/// Decodes concatenated base64 strings, each with its own padding.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let quads = text.chunks(4);
    quads
        .flat_map(|quad| BASE64_STANDARD.decode(quad).expect("base64"))
        .collect()
}
