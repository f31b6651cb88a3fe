//! The headers that the server parses itself. The response must match what each of them requires.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::OnceLock,
};

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, StatusCode, Version, header};

use crate::service::{Response, Service};

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
/// The data has one line per header, in this order. A line "-" omits the header.
const NAMES: [HeaderName; 6] = [
    header::HOST,
    header::CONTENT_TYPE,
    header::AUTHORIZATION,
    HeaderName::from_static("grpc-timeout"),
    REQUEST_ID,
    header::ORIGIN,
];

/// Sends a request with arbitrary headers.
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
    let response = service.call(request);
    let [host, content_type, authorization, timeout, id, origin] = values
        .each_ref()
        .map(|value| value.as_ref().map(HeaderValue::as_bytes));

    if response.http_status == StatusCode::MISDIRECTED_REQUEST {
        return assert!(!is_allowed_host(host.unwrap_or_default()));
    }
    if response.http_status == StatusCode::BAD_REQUEST {
        return assert!(host.is_none(), "400 with a Host header");
    }
    assert!(contains_allowed_host(host.unwrap_or_default()));
    if response.http_status == StatusCode::FORBIDDEN {
        return assert!(origin.is_some(), "403 without an Origin header");
    }
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if response.http_status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return assert_ne!(content_type, b"application/grpc");
    }
    assert!(contains(&content_type, b"application/grpc"));
    assert_eq!(response.http_status, 200);
    check_id(&response, id);
    if !contains(&content_type, b"web") {
        check_status(&response, authorization, timeout);
    }
}

fn check_status(response: &Response, authorization: Option<&[u8]>, timeout: Option<&[u8]>) {
    const OK_OR_DEADLINE_EXCEEDED: [u16; 2] = [0, 4];
    let status = response.grpc_status().expect("every response has a status");
    if !authorization.is_some_and(is_valid_token) {
        assert_eq!(status, 16);
    } else if !timeout.is_none_or(is_timeout) {
        assert_eq!(status, 3);
    } else {
        assert!(OK_OR_DEADLINE_EXCEEDED.contains(&status), "{status}");
    }
}

/// The response must repeat the client's id if it is valid, and have a UUID otherwise.
fn check_id(response: &Response, sent: Option<&[u8]>) {
    const UUID_BYTES: usize = 36;
    let received = response.headers[REQUEST_ID].as_bytes();
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    match sent {
        Some(sent) if (1..=64).contains(&sent.len()) && sent.iter().all(is_allowed) => {
            assert_eq!(received, sent);
        }
        _ => assert!(received.len() == UUID_BYTES && received.iter().all(is_allowed)),
    }
}

/// Whether the host is allowed, without a port or with port 443.
fn is_allowed_host(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    HOSTS.iter().any(|name| {
        let rest = host.strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest == b":443")
    })
}

fn contains_allowed_host(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    is_allowed_address(&host) || HOSTS.iter().any(|name| contains(&host, name.as_bytes()))
}

/// Whether the host is a loopback address, however it is written.
fn is_allowed_address(host: &[u8]) -> bool {
    let text = String::from_utf8_lossy(host);
    let text = text.rsplit('@').next().unwrap_or_default();
    let address = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => text.split(':').next(),
    };
    let address = address.and_then(|address| address.parse::<IpAddr>().ok());
    address.is_some_and(|address| {
        [
            Ipv4Addr::LOCALHOST.into(),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ]
        .contains(&address.to_canonical())
    })
}

fn is_valid_token(authorization: &[u8]) -> bool {
    let Some((scheme, token)) = authorization.split_at_checked("Bearer ".len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"bearer ") && token.trim_ascii() == b"secret"
}

/// Whether the value is valid under the specification of gRPC over HTTP/2.
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
