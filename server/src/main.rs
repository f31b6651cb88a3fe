//! `imageclassifier-server`: configure, load, bind, serve, stop.

use anyhow::Context;
use clap::Parser;
use imageclassifier_model::{Network, Weights};
use imageclassifier_server::{Config, Engine, log_to_stderr, serve};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::parse();
    log_to_stderr(&config.log);

    let weights = Weights::lite0();
    let compute = config.compute().map_err(anyhow::Error::msg)?;
    let network = Network::load(&weights, compute).context("cannot load the model")?;
    tracing::info!(
        model = weights.variant().name(),
        weights = weights.digest(),
        %compute,
        "model loaded"
    );
    let engine = Engine::start(&network, weights, &config).context("cannot start the engine")?;
    let listener = TcpListener::bind(&config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: choose another address with --listen",
            config.listen
        )
    })?;
    let address = listener.local_addr()?;
    tracing::info!("serving gRPC, gRPC-Web and the page on http://{address}");

    let shutdown = stop_signal()?;
    serve(listener, engine, &config, shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves on SIGTERM or Ctrl-C.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
