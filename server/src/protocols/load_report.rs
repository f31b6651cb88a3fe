//! Load reports for proxies and clients that balance requests by the load of the servers (ORCA): how many images this server
//! classifies per second, and how much of its compute threads' time they take.

use std::collections::HashMap;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::BodyExt;
use prost::Message;

use crate::{
    engine::{Engine, load::RecentLoad, rates::Rates},
    request::head::{Protocol, RequestHead},
};

/// A report as base64, which gRPC clients and proxies read. Never beside the other header: some proxies reject both.
const BINARY: HeaderName = HeaderName::from_static("endpoint-load-metrics-bin");
/// A report as text.
const TEXT: HeaderName = HeaderName::from_static("endpoint-load-metrics");
const QUEUE_WAIT: &str = "queue_wait_seconds";

/// Adds a report to each response that has to do with images: to the trailers of gRPC, and to the headers elsewhere.
pub(crate) async fn report(State(engine): State<Engine>, request: Request, next: Next) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let mut response = next.run(request).await;
    if !head.method.infers() {
        return response;
    }
    let headers = response.headers_mut();
    match head.protocol {
        // A response without a body has its trailers in its head.
        Protocol::Grpc if headers.contains_key("grpc-status") => {
            headers.insert(BINARY, binary(engine.recent_load()));
            response
        }
        Protocol::Grpc => response.map(|body| {
            Body::new(body.map_frame(move |frame| match frame.into_trailers() {
                Ok(mut trailers) => {
                    trailers.insert(BINARY, binary(engine.recent_load()));
                    Frame::trailers(trailers)
                }
                Err(frame) => frame,
            }))
        }),
        Protocol::GrpcWeb | Protocol::GrpcWebText | Protocol::Http => {
            headers.insert(TEXT, text(engine.recent_load()));
            response
        }
    }
}

/// The fields that this server reports of `xds.data.orca.v3.OrcaLoadReport`.
#[derive(Clone, PartialEq, Message)]
struct OrcaLoadReport {
    #[prost(double, tag = "1")]
    cpu_utilization: f64,
    #[prost(double, tag = "6")]
    rps_fractional: f64,
    #[prost(double, tag = "7")]
    eps: f64,
    #[prost(map = "string, double", tag = "8")]
    named_metrics: HashMap<String, f64>,
}

/// With padding: some proxies do not read it without.
fn binary(load: RecentLoad) -> HeaderValue {
    let RecentLoad {
        utilization,
        rates: Rates { images, errors },
        queue_wait,
    } = load;
    let report = OrcaLoadReport {
        cpu_utilization: utilization,
        rps_fractional: images,
        eps: errors,
        named_metrics: HashMap::from([(QUEUE_WAIT.to_owned(), queue_wait.as_secs_f64())]),
    };
    let encoded = BASE64_STANDARD.encode(report.encode_to_vec());
    HeaderValue::try_from(encoded).expect("base64 is ASCII")
}

fn text(load: RecentLoad) -> HeaderValue {
    let RecentLoad {
        utilization,
        rates: Rates { images, errors },
        queue_wait,
    } = load;
    let queue_wait = queue_wait.as_secs_f64();
    let text = format!(
        "TEXT cpu_utilization={utilization:.4},rps_fractional={images:.3},eps={errors:.3},named_metrics.{QUEUE_WAIT}={queue_wait:.4}"
    );
    HeaderValue::try_from(text).expect("words and numbers are ASCII")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LOAD: RecentLoad = RecentLoad {
        utilization: 0.25,
        rates: Rates {
            images: 100.5,
            errors: 0.0,
        },
        queue_wait: Duration::from_millis(20),
    };

    #[test]
    fn reports_are_written_as_the_specification_says() {
        let expected = "TEXT cpu_utilization=0.2500,rps_fractional=100.500,eps=0.000,named_metrics.queue_wait_seconds=0.0200";
        assert_eq!(text(LOAD), expected);
        let expected = "CQAAAAAAANA/MQAAAAAAIFlAQh0KEnF1ZXVlX3dhaXRfc2Vjb25kcxF7FK5H4XqUPw==";
        assert_eq!(binary(LOAD), expected);
    }
}
