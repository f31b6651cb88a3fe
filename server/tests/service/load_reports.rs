//! Load reports for balancers: on request, once in each response, and in the form that its readers expect.

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request};
use prost::Message;
use tokio::time::sleep;

use crate::{
    app::{App, within_seconds},
    protocol::{Http, Protocol, call, frame, send},
    script::{Script, order},
};

const BINARY: &str = "endpoint-load-metrics-bin";
const TEXT: &str = "endpoint-load-metrics";

/// `xds.data.orca.v3.OrcaLoadReport`.
#[derive(Clone, PartialEq, Message)]
struct Report {
    #[prost(double, tag = "1")]
    cpu_utilization: f64,
    #[prost(double, tag = "6")]
    rps_fractional: f64,
    #[prost(double, tag = "7")]
    eps: f64,
    #[prost(map = "string, double", tag = "8")]
    named_metrics: HashMap<String, f64>,
}

/// The report among `headers` and trailers, in the form for `protocol`.
fn report(headers: &HeaderMap, protocol: Protocol) -> Report {
    let (name, other) = match protocol {
        Protocol::Grpc => (BINARY, TEXT),
        _ => (TEXT, BINARY),
    };
    assert!(!headers.contains_key(other), "{protocol:?}");
    let mut all = headers.get_all(name).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        panic!("not one {name} in {headers:?}");
    };
    if name == BINARY {
        let bytes = BASE64_STANDARD.decode(value.as_bytes()).unwrap();
        return Report::decode(&*bytes).unwrap();
    }
    let text = value.to_str().unwrap().strip_prefix("TEXT ").unwrap();
    let mut report = Report::default();
    for metric in text.split(',') {
        let (name, value) = metric.split_once('=').unwrap();
        let value = value.parse().unwrap();
        match name {
            "cpu_utilization" => report.cpu_utilization = value,
            "rps_fractional" => report.rps_fractional = value,
            "eps" => report.eps = value,
            _ => {
                let name = name.strip_prefix("named_metrics.").unwrap();
                report.named_metrics.insert(name.to_owned(), value);
            }
        }
    }
    report
}

async fn headers(app: &App, protocol: Protocol, work: &str) -> HeaderMap {
    call(app.address, protocol, &order(work), &[]).await.headers
}

#[tokio::test]
async fn responses_report_the_load_of_the_last_second() {
    let app = App::with_stages(&["--load-reports"], Script::default().stages()).await;
    // A window that no earlier request belongs to.
    headers(&app, Protocol::Grpc, "").await;
    sleep(Duration::from_millis(1100)).await;
    headers(&app, Protocol::Grpc, "").await;
    for _ in 0..12 {
        headers(&app, Protocol::Grpc, "sleep 100").await;
    }
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    for protocol in Protocol::ALL {
        let report = report(&headers(&app, protocol, "").await, protocol);
        // One image at a time, a tenth of a second each, perhaps with pauses.
        assert!((0.5..20.0).contains(&report.rps_fractional), "{report:?}");
        let used = report.cpu_utilization * cores;
        assert!((0.05..1.5).contains(&used), "{report:?}");
        assert!(report.named_metrics["queue_wait_seconds"] >= 0.0);
        assert!(report.eps.abs() < 1e-9, "{report:?}");
    }
}

#[tokio::test]
async fn rejections_report_the_load_too() {
    let options = [
        "--load-reports",
        "--queue-wait-max",
        "0",
        "--calls-max",
        "1",
    ];
    let app = App::with_stages(&options, Script::default().stages()).await;
    let slow = tokio::spawn(call_slowly(app.address));
    sleep(Duration::from_millis(300)).await;
    for protocol in Protocol::ALL {
        let answer = call(app.address, protocol, &order(""), &[]).await;
        answer.outcome.unwrap_err();
        report(&answer.headers, protocol);
    }
    slow.await.unwrap();
    // As the rate of the second in which they fell.
    within_seconds(20, async {
        loop {
            headers(&app, Protocol::Grpc, "panic in decode").await;
            let found = headers(&app, Protocol::Grpc, "").await;
            if report(&found, Protocol::Grpc).eps > 0.0 {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

async fn call_slowly(address: std::net::SocketAddr) {
    let request = order("sleep 1000");
    call(address, Protocol::Grpc, &request, &[]).await;
}

#[tokio::test]
async fn there_is_no_report_unless_it_is_asked_for_or_about_images() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    for protocol in Protocol::ALL {
        let headers = headers(&app, protocol, "").await;
        assert!(!headers.contains_key(TEXT) && !headers.contains_key(BINARY));
    }
    let app = App::with_stages(&["--load-reports"], Script::default().stages()).await;
    let health = Request::post("/grpc.health.v1.Health/Check");
    let health = health.header("content-type", "application/grpc");
    let response = send(app.address, Http::Two, health, frame(&())).await;
    assert_eq!(response.headers()["grpc-status"], "0");
    let page = send(app.address, Http::One, Request::get("/"), Bytes::new()).await;
    for headers in [response.headers(), page.headers()] {
        assert!(!headers.contains_key(TEXT) && !headers.contains_key(BINARY));
    }
}
