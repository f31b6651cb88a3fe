//! The stop: announced, then no new calls, then nobody holds it up.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    app::{App, within_seconds},
    protocol::{Protocol, classify},
    script::{Script, order},
};

#[tokio::test]
async fn calls_in_progress_are_finished_and_new_ones_taken_during_the_grace() {
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
            .expect("taken during the grace");

        slow.await
            .unwrap()
            .expect("finished, although it took longer than the grace");
        within_seconds(5, stopping).await.unwrap().unwrap();
        assert!(
            stopped_at.elapsed() < Duration::from_secs(4),
            "nobody held it up"
        );
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn nobody_who_only_holds_a_connection_holds_up_the_stop() {
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
async fn a_call_that_takes_longer_than_the_timeout_is_cut_off() {
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
