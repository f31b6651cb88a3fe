//! One call over each of the protocols that the port speaks.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyImageResponse, image_classifier_client::ImageClassifierClient,
};
use prost::Message;
use tokio::net::TcpStream;
use tonic::{Status, transport::Endpoint};

use crate::plain;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Protocol {
    Grpc,
    GrpcWeb(Http),
    GrpcWebText,
    Plain(Http),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Http {
    One,
    Two,
}

impl Protocol {
    pub(crate) const ALL: [Self; 6] = [
        Self::Grpc,
        Self::GrpcWeb(Http::One),
        Self::GrpcWeb(Http::Two),
        Self::GrpcWebText,
        Self::Plain(Http::One),
        Self::Plain(Http::Two),
    ];
}

/// Calls Classify, natively through tonic's client.
pub(crate) async fn classify(
    address: SocketAddr,
    protocol: Protocol,
    request: ClassifyImageRequest,
) -> Result<ClassifyImageResponse, Status> {
    match protocol {
        Protocol::Grpc => grpc(address, request).await,
        _ => call(address, protocol, &request, &[]).await.outcome,
    }
}

/// What came back, with the headers that a browser would look at.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) outcome: Result<ClassifyImageResponse, Status>,
}

/// Calls Classify with headers of one's own, byte by byte: no client has an opinion on them.
pub(crate) async fn call(
    address: SocketAddr,
    protocol: Protocol,
    request: &ClassifyImageRequest,
    headers: &[(&str, &str)],
) -> Answer {
    let (version, content_type) = match protocol {
        Protocol::Grpc => (Http::Two, "application/grpc"),
        Protocol::GrpcWeb(version) => (version, "application/grpc-web+proto"),
        Protocol::GrpcWebText => (Http::One, "application/grpc-web-text"),
        Protocol::Plain(version) => return plain::call(address, version, request, headers).await,
    };
    let text = protocol == Protocol::GrpcWebText;
    let body = frame(request);
    let body = if text {
        BASE64_STANDARD.encode(body).into()
    } else {
        body
    };
    let mut request = Request::post("/imageclassifier.ImageClassifier/Classify")
        .header("content-type", content_type)
        .header("accept", content_type);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = send(address, version, request, body).await;
    let mut body = answer.body().clone();
    if text {
        // Each flush is padded on its own.
        let decoded = body
            .chunks(4)
            .flat_map(|four| BASE64_STANDARD.decode(four).unwrap());
        body = decoded.collect::<Vec<u8>>().into();
    }
    Answer {
        headers: answer.headers().clone(),
        outcome: parse(answer.headers(), body),
    }
}

async fn grpc(
    address: SocketAddr,
    request: ClassifyImageRequest,
) -> Result<ClassifyImageResponse, Status> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let answer = ImageClassifierClient::new(channel).classify(request).await;
    answer.map(tonic::Response::into_inner)
}

/// One HTTP request on a connection of its own; trailers count as headers.
pub(crate) async fn send(
    address: SocketAddr,
    version: Http,
    request: http::request::Builder,
    body: Bytes,
) -> Response<Bytes> {
    send_to(address, &address.to_string(), version, request, body).await
}

/// To the server at `address`, called by the name `host`.
pub(crate) async fn send_to(
    address: SocketAddr,
    host: &str,
    version: Http,
    request: http::request::Builder,
    body: Bytes,
) -> Response<Bytes> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let response = match version {
        Http::One => {
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let request = request.header("host", host);
            sender
                .send_request(request.body(Full::new(body)).unwrap())
                .await
        }
        Http::Two => {
            let path = request.uri_ref().unwrap().to_string();
            let request = request.uri(format!("http://{host}{path}"));
            let handshake = http2::handshake(TokioExecutor::new(), stream).await;
            let (mut sender, connection) = handshake.unwrap();
            tokio::spawn(connection);
            sender
                .send_request(request.body(Full::new(body)).unwrap())
                .await
        }
    };
    let (mut parts, body) = response.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    parts
        .headers
        .extend(body.trailers().cloned().unwrap_or_default());
    Response::from_parts(parts, body.to_bytes())
}

/// A message as gRPC and gRPC-Web frame it: not compressed, its length, itself.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let mut frame = BytesMut::from(&[0u8][..]);
    frame.extend(u32::try_from(message.encoded_len()).unwrap().to_be_bytes());
    message.encode(&mut frame).unwrap();
    frame.freeze()
}

/// The data frame, or the status in the trailers frame or, where there is no body, in the headers.
fn parse(headers: &HeaderMap, mut body: Bytes) -> Result<ClassifyImageResponse, Status> {
    let mut message = None;
    let mut trailers = headers.clone();
    while body.len() >= 5 {
        let kind = body.split_to(1)[0];
        let length = u32::from_be_bytes(body.split_to(4)[..].try_into().unwrap());
        let content = body.split_to(length as usize);
        if kind == 0x80 {
            trailers.extend(trailer_lines(&content));
        } else {
            message = Some(ClassifyImageResponse::decode(content).unwrap());
        }
    }
    let status = Status::from_header_map(&trailers).expect("an answer ends with its status");
    match status.code() {
        tonic::Code::Ok => Ok(message.expect("an OK call has a message")),
        _ => Err(status),
    }
}

fn trailer_lines(lines: &[u8]) -> HeaderMap {
    let lines = std::str::from_utf8(lines).unwrap().lines();
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| {
            let name: HeaderName = name.trim().parse().unwrap();
            (name, HeaderValue::from_str(value.trim()).unwrap())
        })
        .collect()
}
