//! The headers that we read ourselves, held against what each of them promises.

use std::sync::OnceLock;

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, StatusCode, Version, header};

use crate::service::{Answer, Service};

const OPTIONS: [&str; 4] = [
    "--allowed-host",
    "photos.example",
    "--cors-origin",
    "https://app.example.com",
];
/// `printf %s secret | sha256sum`
const TOKENS: &str = "page 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const HOSTS: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "photos.example"];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// One a line of the data, in this order; a line "-" leaves one out.
const NAMES: [HeaderName; 6] = [
    header::HOST,
    header::CONTENT_TYPE,
    header::AUTHORIZATION,
    HeaderName::from_static("grpc-timeout"),
    REQUEST_ID,
    header::ORIGIN,
];

/// Sends a call with arbitrary headers.
pub fn run(data: &[u8]) {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let mut lines = data.split(|&byte| byte == b'\n');
    let values = NAMES.map(|_| {
        let line = lines.next().filter(|&line| line != b"-")?;
        HeaderValue::from_bytes(line).ok()
    });
    let mut request = Request::post("/imageclassifier.ImageClassifier/GetModel")
        .version(Version::HTTP_2)
        .body(Body::from(&[0; 5][..]))
        .unwrap();
    for (name, value) in NAMES.into_iter().zip(&values) {
        if let Some(value) = value {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let service = SERVICE.get_or_init(|| Service::start(&OPTIONS, TOKENS));
    let answer = service.call(request);
    let [host, content_type, authorization, timeout, id, origin] = values
        .each_ref()
        .map(|value| value.as_ref().map(HeaderValue::as_bytes));

    if answer.http_status == StatusCode::MISDIRECTED_REQUEST {
        return assert!(!is_our_name(host.unwrap_or_default()));
    }
    assert!(mentions_our_name(host.unwrap_or_default()));
    if answer.http_status == StatusCode::FORBIDDEN {
        return assert!(origin.is_some(), "only pages can be foreign");
    }
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if answer.http_status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return assert_ne!(content_type, b"application/grpc");
    }
    assert!(contains(&content_type, b"application/grpc"));
    assert_eq!(answer.http_status, 200);
    check_id(&answer, id);
    if !contains(&content_type, b"web") {
        check_status(&answer, authorization, timeout);
    }
}

fn check_status(answer: &Answer, authorization: Option<&[u8]>, timeout: Option<&[u8]>) {
    const ANSWERED_OR_TOO_LATE: [u16; 2] = [0, 4];
    let status = answer.grpc_status().expect("every answer has a status");
    if !authorization.is_some_and(is_our_token) {
        assert_eq!(status, 16);
    } else if !timeout.is_none_or(is_timeout) {
        assert_eq!(status, 3);
    } else {
        assert!(ANSWERED_OR_TOO_LATE.contains(&status), "{status}");
    }
}

/// The caller's own id if it is short and plain, else a UUID.
fn check_id(answer: &Answer, own: Option<&[u8]>) {
    const UUID_BYTES: usize = 36;
    let given = answer.headers[REQUEST_ID].as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    match own {
        Some(own) if (1..=64).contains(&own.len()) && own.iter().all(plain) => {
            assert_eq!(given, own);
        }
        _ => assert!(given.len() == UUID_BYTES && given.iter().all(plain)),
    }
}

/// A name by which the server is known, perhaps with a port.
fn is_our_name(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    HOSTS.iter().any(|name| {
        let behind = host.strip_prefix(name.as_bytes());
        behind.is_some_and(|behind| behind.is_empty() || behind == b":443")
    })
}

fn mentions_our_name(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    HOSTS.iter().any(|name| contains(&host, name.as_bytes()))
}

fn is_our_token(authorization: &[u8]) -> bool {
    let Some((scheme, token)) = authorization.split_at_checked("Bearer ".len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"bearer ") && token.trim_ascii() == b"secret"
}

/// By the specification of gRPC over HTTP/2.
fn is_timeout(value: &[u8]) -> bool {
    let [digits @ .., unit] = value else {
        return false;
    };
    (1..=8).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && b"HMSmun".contains(unit)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
