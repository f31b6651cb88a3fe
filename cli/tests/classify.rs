//! The command line against a real server: what it prints, and how it exits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
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

/// A server on a free port, for as long as the test process lives; ready for a caller with these arguments.
fn server(options: &[&str], arguments: &[&str]) -> String {
    let config = Config::parse_from([&["imageclassifier-server"], options].concat());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        Runtime::new().unwrap().block_on(async {
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
    let coffee = photograph("coffee.png");
    let arguments = [arguments, &[&coffee]].concat();
    while !classify(&url, &arguments).status.success() {
        thread::sleep(Duration::from_millis(50));
    }
    url
}

/// A file of the tests' own with this text; its path.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
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
    let url = server(&[], &[]);
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
fn an_access_token_is_read_from_a_file() {
    /// `printf %s secret | sha256sum`
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let accepted = file("accepted-tokens", &format!("tests {SECRET}\n"));
    let token = file("token", "secret\r\nof nobody's concern\n");
    let url = server(&["--token-file", &accepted], &["--token-file", &token]);
    let coffee = photograph("coffee.png");

    let by_environment = Command::new(env!("CARGO_BIN_EXE_imageclassifier"))
        .args(["classify", "--server", &url, &coffee])
        .env("IMAGECLASSIFIER_TOKEN_FILE", &token)
        .output()
        .unwrap();
    assert_eq!(by_environment.status.code(), Some(0));

    let stderr = |arguments: &[&str]| {
        let output = classify(&url, &[arguments, &[&coffee]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(stderr(&[]).contains("--token-file names a file"));
    for (name, text, complaint) in [
        ("wrong-token", "guess", "does not let us in"),
        ("empty-token", "\nsecret", "there is no access token in"),
        ("odd-token", "two words", "without spaces"),
    ] {
        let told = stderr(&["--token-file", &file(name, text)]);
        assert!(told.contains(complaint), "{told}");
        assert!(!told.contains(text.trim()), "{told}");
    }
    let missing = stderr(&["--token-file", "missing-token"]);
    assert!(missing.contains("cannot read an access token from missing-token"));
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
