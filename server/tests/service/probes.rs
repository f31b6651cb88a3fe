//! Probes on the metrics port: whether the server lives, has started, and should get requests.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use tokio::{net::TcpStream, time::sleep};

use crate::{
    app::{App, within_seconds},
    protocol::{Http, Protocol, classify, send},
    script::{Script, order},
};

async fn probe(address: SocketAddr, path: &str) -> u16 {
    let response = send(address, Http::One, Request::get(path), Bytes::new()).await;
    response.status().into()
}

async fn until(address: SocketAddr, path: &str, status: u16) {
    within_seconds(20, async {
        while probe(address, path).await != status {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

async fn assert_probes(address: SocketAddr, live: u16, ready: u16, started: u16) {
    for (path, status) in [("/livez", live), ("/readyz", ready), ("/startupz", started)] {
        assert_eq!(probe(address, path).await, status, "{path}");
    }
}

#[tokio::test]
async fn probes_follow_the_server_from_its_start_to_its_end() {
    let script = Script::default();
    script.kill();
    let options = ["--drain-grace", "0.3"];
    let app = App::begin_with_stages(&options, script.stages()).await;
    let (address, metrics) = (app.address, app.metrics_address);
    assert_probes(metrics, 200, 503, 503).await;

    script.revive();
    until(metrics, "/readyz", 200).await;
    assert_probes(metrics, 200, 200, 200).await;

    let slow = tokio::spawn(classify(address, Protocol::Grpc, order("sleep 2000")));
    within_seconds(5, async {
        while script.decodes() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let stopping = app.stop();
    until(metrics, "/readyz", 503).await;
    // Even after the grace, for as long as a request is in progress.
    within_seconds(5, async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_probes(metrics, 200, 503, 200).await;
    slow.await.unwrap().unwrap();
    within_seconds(5, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_without_workers_is_alive_and_not_ready() {
    let script = Script::default();
    let app = App::with_stages(&[], script.stages()).await;
    let workers = std::thread::available_parallelism().unwrap().get();
    let dying = (0..workers).map(|_| classify(app.address, Protocol::Grpc, order("die")));
    join_all(dying).await;
    until(app.metrics_address, "/readyz", 503).await;
    assert_probes(app.metrics_address, 200, 503, 200).await;
    script.revive();
    until(app.metrics_address, "/readyz", 200).await;
}

#[tokio::test]
async fn the_serving_port_has_no_such_probes() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
        assert_eq!(probe(app.address, path).await, 404, "{path}");
    }
}
