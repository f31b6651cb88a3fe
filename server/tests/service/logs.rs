//! The log, as the real program writes it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use tokio::task::spawn_blocking;

use crate::{
    app::within_seconds,
    protocol::{Protocol, classify},
};

/// A full pipe takes 64 KiB: some hundred lines.
const REQUESTS: usize = 800;

#[tokio::test]
async fn an_unread_log_blocks_no_request_and_its_end_is_written() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_imageclassifier-server"))
        .args(["--listen", "127.0.0.1:0", "--drain-grace", "0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(program.stderr.take().unwrap());
    let (address, log) = spawn_blocking(|| until_ready(log)).await.unwrap();

    let request = imageclassifier_proto::ClassifyImageRequest {
        image_data: "no image".into(),
        ..Default::default()
    };
    within_seconds(60, async {
        for _ in 0..REQUESTS {
            let outcome = classify(address, Protocol::Grpc, request.clone()).await;
            outcome.unwrap_err();
        }
    })
    .await;

    let reading = thread::spawn(move || log.lines().map(Result::unwrap).collect::<Vec<_>>());
    thread::sleep(Duration::from_millis(100));
    let stop = Command::new("kill").arg(program.id().to_string()).status();
    assert!(stop.unwrap().success());
    let stopped = spawn_blocking(move || program.wait().unwrap());
    assert!(within_seconds(20, stopped).await.unwrap().success());
    let lines = spawn_blocking(|| reading.join().unwrap()).await.unwrap();
    let rejected = lines
        .iter()
        .filter(|line| line.contains("request rejected"));
    assert_eq!(rejected.count(), REQUESTS);
    assert!(lines.last().unwrap().ends_with("stopped"), "{lines:?}");
}

fn until_ready<R: BufRead>(mut log: R) -> (std::net::SocketAddr, R) {
    let mut address = None;
    loop {
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let line = line.trim_end();
        if let Some((_, shown)) = line.split_once("on http://") {
            address = Some(shown.parse().unwrap());
        }
        if line.ends_with("ready") {
            return (address.unwrap(), log);
        }
    }
}
