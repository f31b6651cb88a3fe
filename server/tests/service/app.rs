use std::{fs, net::SocketAddr, path::PathBuf};

use bytes::Bytes;
use clap::Parser;
use http::Request;
use imageclassifier_model::{Network, Weights};
use imageclassifier_server::{Config, Engine, Listeners, MakeStages, serve};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{Duration, timeout},
};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::protocol::{Http, send};

/// A server on a free port, as `imageclassifier-server OPTIONS` would be.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) metrics_address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(options: &[&str]) -> Self {
        let config = config(options);
        let weights = config.load_weights().unwrap();
        let network = Network::load(&weights, config.compute().unwrap()).unwrap();
        Self::serve(Engine::start(network, weights, &config).unwrap(), config).await
    }

    /// With other stages in the place of the network.
    pub(crate) async fn with_stages(options: &[&str], make_stages: Box<MakeStages>) -> Self {
        let config = config(options);
        let engine = Engine::with_stages(make_stages, Weights::lite0(), &config);
        Self::serve(engine.unwrap(), config).await
    }

    async fn serve(engine: Engine, config: Config) -> Self {
        let plain = config.tls.tls_cert.is_none();
        let app = Self::begin(engine, config).await;
        if plain {
            within_seconds(20, app.until(ServingStatus::Serving)).await;
        }
        app
    }

    /// As [`Self::with_stages`], without waiting until the server is ready.
    pub(crate) async fn begin_with_stages(options: &[&str], make_stages: Box<MakeStages>) -> Self {
        let config = config(options);
        let engine = Engine::with_stages(make_stages, Weights::lite0(), &config);
        Self::begin(engine.unwrap(), config).await
    }

    async fn begin(engine: Engine, config: Config) -> Self {
        let requests = TcpListener::bind((config.listen.ip(), 0)).await.unwrap();
        let metrics = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = requests.local_addr().unwrap();
        let metrics_address = metrics.local_addr().unwrap();
        let listeners = Listeners {
            requests,
            metrics: Some(metrics),
        };
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            serve(listeners, engine, &config, stopped).await
        });
        Self {
            address,
            metrics_address,
            stop,
            serving,
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.url()).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// Until the server says that its health is `status`.
    pub(crate) async fn until(&self, status: ServingStatus) {
        let mut health = HealthClient::new(self.channel().await);
        let all = HealthCheckRequest::default();
        let mut states = health.watch(all).await.unwrap().into_inner();
        while states.message().await.unwrap().unwrap().status() != status {}
    }

    /// The value of one of the server's series, as Prometheus scrapes it.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let text = self.metrics().await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value = line.unwrap_or_else(|| panic!("no {series} in:\n{text}"));
        value.parse().unwrap()
    }

    pub(crate) async fn metrics(&self) -> String {
        let request = Request::get("/metrics");
        let response = send(self.metrics_address, Http::One, request, Bytes::new()).await;
        String::from_utf8(response.into_body().into()).unwrap()
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

fn config(options: &[&str]) -> Config {
    let config = Config::try_parse_from([&["imageclassifier-server"], options].concat());
    let mut config = config.unwrap_or_else(|error| panic!("{error}"));
    if !options.contains(&"--drain-grace") {
        // A test that stops the server need not wait for load balancers.
        config.drain_grace = Duration::ZERO;
    }
    config
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
