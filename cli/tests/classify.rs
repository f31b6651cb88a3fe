//! The command line against a real server: what it prints, and how it exits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output},
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::Parser;
use imageclassifier_model::{Network, Weights};
use imageclassifier_server::{Config, Engine, Listeners, serve};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};

/// A server on a free port, for as long as the test process lives.
fn server() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        Runtime::new().unwrap().block_on(async {
            let config = Config::parse_from(["imageclassifier-server"]);
            let weights = Weights::lite0();
            let network = Network::load(&weights, config.compute().unwrap()).unwrap();
            let engine = Engine::start(network, weights, &config).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let listeners = Listeners {
                calls: listener,
                metrics: None,
            };
            serve(listeners, engine, &config, std::future::pending())
                .await
                .unwrap();
        });
    });
    let address: SocketAddr = told.recv().unwrap();
    let url = format!("http://{address}");
    while !classify(&url, &[&photograph("coffee.png")])
        .status
        .success()
    {
        thread::sleep(Duration::from_millis(50));
    }
    address
}

fn classify(server: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imageclassifier"))
        .args(["classify", "--server", server])
        .args(arguments)
        .output()
        .unwrap()
}

fn photograph(name: &str) -> String {
    let photos = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/photos");
    photos.join(name).display().to_string()
}

#[test]
fn pictures_are_named_and_bad_files_do_not_stop_the_rest() {
    let url = format!("http://{}", server());
    let coffee = photograph("coffee.png");
    let rocket = photograph("rocket.jpg");
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

    let output = classify(
        &url,
        &[
            "--json",
            "--top-k",
            "3",
            &coffee,
            text,
            "missing.jpg",
            &rocket,
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [espresso, refused, unreadable, missile] = &lines[..] else {
        panic!("a line for each file, not {lines:?}")
    };
    assert_eq!(espresso["file"], coffee.as_str());
    assert_eq!(espresso["label"], "espresso");
    assert!(espresso["confidence"].as_f64().unwrap() > 0.9);
    assert_eq!(espresso["model"], "efficientnet-lite0");
    assert_eq!(espresso["predictions"].as_array().unwrap().len(), 3);
    assert_eq!(espresso["predictions"][0]["index"], 967);
    assert_eq!(refused["reason"], "IMAGE_FORMAT_UNKNOWN");
    assert!(
        unreadable["error"]
            .as_str()
            .unwrap()
            .contains("cannot read")
    );
    assert_eq!(missile["label"], "missile");

    let output = classify(&url, &[&coffee]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("95.1 %  espresso")
    );
}

#[test]
fn nothing_to_ask_or_nobody_to_ask_exits_with_2() {
    let picture = photograph("coffee.png");
    // Port 1 is never served.
    for (server, arguments) in [
        ("http://127.0.0.1:1", vec![picture.as_str()]),
        ("not a URL", vec![picture.as_str()]),
        ("http://127.0.0.1:1", vec![]),
        ("http://127.0.0.1:1", vec!["--top-k", "0", picture.as_str()]),
    ] {
        let output = classify(server, &arguments);
        assert_eq!(output.status.code(), Some(2), "{server} {arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}
