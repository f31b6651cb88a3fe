//! `imageclassifier-server`: configure, load, bind, serve, stop.

use std::{net::SocketAddr, process};

use anyhow::Context;
use clap::Parser;
use imageclassifier_model::Network;
use imageclassifier_server::{Config, Engine, Listeners, Telemetry, init_tracing, serve};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::parse();
    let telemetry = init_tracing(&config).context("cannot send traces to --otlp-endpoint")?;
    // The usual soft limit is no higher than the number of connections that the server accepts.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!("cannot raise the limit on open files: {error}");
    }

    let weights = config.load_weights()?;
    let compute = config.compute().map_err(anyhow::Error::msg)?;
    let network = Network::load(&weights, compute).context("cannot load the model")?;
    give_memory_back();
    tracing::info!(
        model = weights.variant().name(),
        weights = weights.digest(),
        %compute,
        precision = %config.precision,
        "model loaded"
    );
    let engine = Engine::start(network, weights, &config).context("cannot start the engine")?;
    let listeners = Listeners {
        requests: bind(config.listen, "--listen").await?,
        metrics: match config.metrics_listen {
            Some(address) => Some(bind(address, "--metrics-listen").await?),
            None => None,
        },
    };
    let address = listeners.requests.local_addr()?;
    tracing::info!("serving gRPC, gRPC-Web and the page on http://{address}");

    serve(listeners, engine, &config, stop_signal(telemetry.clone())?).await?;
    tokio::task::spawn_blocking(move || {
        telemetry.send_traces();
        tracing::info!("stopped");
        telemetry.finish_log();
    })
    .await?;
    Ok(())
}

/// Loading needs several times the memory of the weights, and the allocator would keep all of it while the server is idle.
#[expect(unsafe_code, reason = "a function of C")]
fn give_memory_back() {
    // SAFETY: It touches only the allocator's own state, and may be called on any thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!("cannot listen on {address}: choose another address with {option}")
    })
}

/// Resolves on the first SIGTERM or Ctrl-C; the second ends the process at once.
fn stop_signal(telemetry: Telemetry) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            tracing::warn!("stopped at once by a second signal");
            telemetry.finish_log();
            process::exit(1);
        });
    })
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
