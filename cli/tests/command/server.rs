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
use imageclassifier_model::Network;
use imageclassifier_server::{Config, Engine, Listeners, serve};
use tokio::{net::TcpListener, runtime::Runtime};

/// A server on a free port that runs until the test process ends, and is ready for a client with these arguments. `SERVER` in
/// them stands for its URL.
pub(crate) fn server_for(options: &[&str], arguments: &[&str]) -> String {
    let address = start(options);
    let scheme = if options.contains(&"--tls-cert") {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://localhost:{}", address.port());
    let wait = [
        &["health", "--wait", "--timeout", "60", "--server", &url],
        arguments,
    ]
    .concat();
    let ready = run(&wait);
    assert_eq!(ready.status.code(), Some(0), "{}", text(&ready.stderr));
    url
}

/// As [`server_for`], for a client without arguments.
pub(crate) fn server(options: &[&str]) -> String {
    server_for(options, &[])
}

/// A server that may not be ready yet.
pub(crate) fn start(options: &[&str]) -> SocketAddr {
    let config = Config::parse_from([&["imageclassifier-server"], options].concat());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        Runtime::new().unwrap().block_on(async {
            let weights = config.load_weights().unwrap();
            let network = Network::load(&weights, config.compute().unwrap()).unwrap();
            let engine = Engine::start(network, weights, &config).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let listeners = Listeners {
                requests: listener,
                metrics: None,
            };
            serve(listeners, engine, &config, std::future::pending())
                .await
                .unwrap();
        });
    });
    told.recv_timeout(Duration::from_secs(60)).unwrap()
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageclassifier"));
    command.args(arguments);
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub(crate) fn classify(server: &str, arguments: &[&str]) -> Output {
    run(&[&["classify", "--server", server], arguments].concat())
}

/// A file of the tests' own with these bytes; its path.
pub(crate) fn file(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

pub(crate) fn photograph(name: &str) -> String {
    photographs().join(name).display().to_string()
}

pub(crate) fn photographs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/photos")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
