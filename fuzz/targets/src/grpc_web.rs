//! Calls over gRPC-Web: whatever the body, the answer is well formed, and says what it would say over native gRPC.

use std::sync::OnceLock;

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Version, header};

use crate::service::{Answer, Service};

/// Little, so that messages over the limit are short.
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

/// How the first bytes of the data say that the rest is to be sent.
struct Plan {
    path: &'static str,
    version: Version,
    content_type: &'static str,
    coding: Coding,
    /// Bytes of the body that arrive together.
    chunk_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Binary,
    /// The rest in base64.
    Text,
    /// The rest as if it were base64.
    RawAsText,
}

/// Sends a body, and compares the answer's status with that of the same body over native gRPC.
pub fn run(data: &[u8]) {
    let &[path, how, chunk, ref body @ ..] = data else {
        return;
    };
    let plan = Plan::of(path, how, chunk);
    let sent = match plan.coding {
        Coding::Text => BASE64_STANDARD.encode(body).into(),
        Coding::Binary | Coding::RawAsText => body.to_owned(),
    };
    let answer = call(&plan, plan.content_type, plan.version, &sent);
    assert_eq!(answer.http_status, 200);
    let status = web_status(&answer, plan.coding != Coding::Binary);

    let message = match plan.coding {
        Coding::Binary | Coding::Text => Some(body.to_owned()),
        // As decoders differ in what else they take for base64, only what all of them take.
        Coding::RawAsText => BASE64_STANDARD.decode(body).ok(),
    };
    if let Some(message) = message {
        let native = call(&plan, "application/grpc", Version::HTTP_2, &message);
        assert_eq!(native.http_status, 200);
        assert_eq!(
            Some(status),
            native.grpc_status(),
            "another status natively"
        );
    }
}

impl Plan {
    fn of(path: u8, how: u8, chunk: u8) -> Self {
        let (content_type, coding) = match how % 6 {
            0 => ("application/grpc-web", Coding::Binary),
            1 => ("Application/gRPC-Web+proto; charset=utf-8", Coding::Binary),
            2 => ("application/grpc-web-text", Coding::Text),
            3 => ("application/grpc-web-text+proto;a=b", Coding::Text),
            4 => ("application/grpc-web-text", Coding::RawAsText),
            _ => (" application/grpc-web-text+proto ", Coding::RawAsText),
        };
        Self {
            path: PATHS[usize::from(path) % PATHS.len()],
            version: if how < 128 {
                Version::HTTP_11
            } else {
                Version::HTTP_2
            },
            content_type,
            coding,
            chunk_bytes: usize::from(chunk).max(1),
        }
    }
}

fn call(plan: &Plan, content_type: &str, version: Version, sent: &[u8]) -> Answer {
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

/// The status in the one frame of trailers at the end, or of an answer that is nothing but a refusal.
fn web_status(answer: &Answer, text: bool) -> u16 {
    let content_type = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert_eq!(content_type.starts_with("application/grpc-web-text"), text);
    assert!(answer.trailers.is_empty(), "a browser reads no trailers");
    let mut rest = if text {
        &*from_base64(&answer.body)
    } else {
        &*answer.body
    };
    if rest.is_empty() {
        return answer.grpc_status().expect("refused in the head");
    }
    loop {
        let (&[flag, a, b, c, d], behind) = rest.split_first_chunk().expect("a frame");
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let (frame, behind) = behind.split_at_checked(length).expect("a whole frame");
        if flag == 0x80 {
            assert!(behind.is_empty(), "trailers come last");
            return status_of(frame);
        }
        assert_eq!(flag, 0, "neither message nor trailers");
        rest = behind;
    }
}

fn status_of(trailers: &[u8]) -> u16 {
    let text = str::from_utf8(trailers).unwrap();
    let mut statuses = text
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("grpc-status:"));
    let status = statuses.next().expect("there is a status");
    assert!(statuses.next().is_none(), "one status");
    status.trim().parse().unwrap()
}

/// Pieces, each of which may be padded.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let quads = text.chunks(4);
    quads
        .flat_map(|quad| BASE64_STANDARD.decode(quad).expect("base64"))
        .collect()
}
