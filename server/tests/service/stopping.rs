//! Shutdown: announced first, then no new requests, and no client can delay it.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::spawn_blocking, time::sleep};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    app::{App, within_seconds},
    protocol::{Http, Protocol, classify, send},
    script::{Script, order},
};

#[tokio::test]
async fn finishes_requests_in_progress_and_accepts_new_ones_during_the_grace() {
    for protocol in Protocol::ALL {
        let script = Script::default();
        let app = App::with_stages(&["--drain-grace", "0.5"], script.stages()).await;
        let address = app.address;
        let slow = tokio::spawn(classify(address, protocol, order("sleep 900")));
        within_seconds(5, async {
            while script.decodes() < 2 {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        let mut health = HealthClient::new(app.channel().await);
        let mut states = health
            .watch(HealthCheckRequest::default())
            .await
            .unwrap()
            .into_inner();
        let stopped_at = Instant::now();
        let stopping = app.stop();
        while states.message().await.unwrap().unwrap().status() != ServingStatus::NotServing {}
        assert!(
            stopped_at.elapsed() < Duration::from_millis(300),
            "announced at once"
        );
        classify(address, protocol, order(""))
            .await
            .expect("accepted during the grace");

        slow.await
            .unwrap()
            .expect("finished, although it took longer than the grace");
        within_seconds(5, stopping).await.unwrap().unwrap();
        assert!(
            stopped_at.elapsed() < Duration::from_secs(4),
            "no client delayed it"
        );
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn http1_responses_during_the_grace_announce_the_end_of_their_connections() {
    let app = App::with_stages(&["--drain-grace", "2"], Script::default().stages()).await;
    let address = app.address;
    let connection = async || {
        let request = Request::get("/nothing");
        let response = send(address, Http::One, request, Bytes::new()).await;
        let header = response.headers().get("connection");
        header.map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(connection().await, None);
    let mut health = HealthClient::new(app.channel().await);
    let watched = health.watch(HealthCheckRequest::default()).await.unwrap();
    let mut states = watched.into_inner();
    let stopping = app.stop();
    while states.message().await.unwrap().unwrap().status() != ServingStatus::NotServing {}
    assert_eq!(connection().await.as_deref(), Some("close"));
    within_seconds(5, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_shutdown() {
    let app = App::with(&["--drain-timeout", "20"]).await;
    let mut health = HealthClient::new(app.channel().await);
    let watched = health.watch(HealthCheckRequest::default()).await.unwrap();
    let mut states = watched.into_inner();
    states.message().await.unwrap().unwrap();
    let silent = TcpStream::connect(app.address).await.unwrap();
    let mut stuck = TcpStream::connect(app.address).await.unwrap();
    stuck
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut half = TcpStream::connect(app.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    within_seconds(5, app.stop()).await.unwrap().unwrap();
    drop((silent, stuck, half, states));
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_timeout_is_cut_off() {
    let script = Script::default();
    let app = App::with_stages(&["--drain-timeout", "0.3"], script.stages()).await;
    let slow = tokio::spawn(classify(app.address, Protocol::Grpc, order("sleep 3000")));
    within_seconds(5, async {
        while script.decodes() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    within_seconds(2, app.stop()).await.unwrap().unwrap();
    let cut_off = within_seconds(1, slow).await.unwrap();
    cut_off.expect_err("answered after the timeout");
}

/// As a page or a browser would ask, on a connection of its own: whether there was an answer.
fn ask(mut connection: std::net::TcpStream) -> bool {
    let asked = connection
        .set_read_timeout(Some(Duration::from_secs(10)))
        .and_then(|()| connection.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    let mut answer = [0; 12];
    asked
        .and_then(|()| connection.read_exact(&mut answer))
        .is_ok()
        && answer.starts_with(b"HTTP/1.1 ")
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_get_a_response() {
    let app = App::with_stages(&[], Script::default().stages()).await;
    // The system completes these handshakes, and the server does nothing before it is told to stop.
    let connections: Vec<_> = (0..50)
        .map(|_| std::net::TcpStream::connect(app.address).unwrap())
        .collect();
    let stopping = app.stop();
    let asked = connections
        .into_iter()
        .map(|connection| spawn_blocking(move || ask(connection)));
    let asked: Vec<_> = asked.collect();
    for answered in asked {
        assert!(answered.await.unwrap(), "a connection was lost");
    }
    within_seconds(5, stopping).await.unwrap().unwrap();
}

/// What clients lose that never stop opening connections, and know of no drain grace.
#[ignore = "a measurement, of a minute"]
#[tokio::test(flavor = "multi_thread")]
async fn connections_lost_by_stops_under_load() {
    const STOPS: usize = 60;
    let (mut answered, mut lost) = (0, 0);
    for _ in 0..STOPS {
        let app = App::with_stages(&[], Script::default().stages()).await;
        let address = app.address;
        let clients = [(); 4].map(|()| {
            spawn_blocking(move || {
                let (mut answered, mut lost) = (0, 0);
                while let Ok(connection) = std::net::TcpStream::connect(address) {
                    if ask(connection) {
                        answered += 1;
                    } else {
                        lost += 1;
                    }
                }
                (answered, lost)
            })
        });
        sleep(Duration::from_millis(100)).await;
        within_seconds(10, app.stop()).await.unwrap().unwrap();
        for client in clients {
            let (of_client, lost_by_client) = client.await.unwrap();
            answered += of_client;
            lost += lost_by_client;
        }
    }
    println!("{STOPS} stops: {answered} connections answered, {lost} lost");
    assert_eq!(lost, 0, "beside {answered} answered");
}
