use std::{fs, net::SocketAddr, path::PathBuf};

use bytes::Bytes;
use clap::Parser;
use imageclassifier_model::{Network, Weights};
use imageclassifier_server::{Config, Engine, serve};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{Duration, timeout},
};

/// A server on a free port, as `imageclassifier-server OPTIONS` would be.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(options: &[&str]) -> Self {
        let config = Config::parse_from([&["imageclassifier-server"], options].concat());
        let weights = Weights::lite0();
        let network = Network::load(&weights, config.compute().unwrap()).unwrap();
        let engine = Engine::start(&network, weights, &config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            serve(listener, engine, &config, stopped).await
        });
        Self {
            address,
            stop,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks it to stop; gives the handle to wait with.
    pub(crate) fn stop(self) -> JoinHandle<std::io::Result<()>> {
        self.stop.send(()).unwrap();
        self.serving
    }
}

/// One of the golden photographs.
pub(crate) fn photograph(name: &str) -> Bytes {
    let photos = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/photos");
    fs::read(photos.join(name)).unwrap().into()
}

/// Long enough on a busy machine, short enough not to stall a test run.
pub(crate) async fn within_seconds<T>(seconds: u64, work: impl Future<Output = T>) -> T {
    let worked = timeout(Duration::from_secs(seconds), work).await;
    worked.unwrap_or_else(|_| panic!("took more than {seconds} s"))
}
