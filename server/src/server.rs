//! The life of the server: listen, serve, and stop on a signal.

use std::{future, io, time::Duration};

use tokio::{net::TcpListener, time::sleep};

use crate::{
    app::app,
    config::Config,
    edge::{
        connection,
        limits::{AgeLimits, ConnectionCounts, ConnectionLimits},
    },
    engine::Engine,
    monitoring,
    readiness::{Phase, Readiness},
    request::trusted_proxies::TrustedProxies,
    service_manager,
};

/// Pause before the warm-up image is classified again.
const WARM_UP_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The sockets that the server listens on.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub requests: TcpListener,
    /// For Prometheus and for probes.
    pub metrics: Option<TcpListener>,
}

/// Serves gRPC, gRPC-Web, plain HTTP and the page until `shutdown` resolves. Then health reports NOT_SERVING while requests
/// are still accepted for `--drain-grace`. Finally the requests in progress have `--drain-timeout` to finish.
///
/// # Errors
/// If the limits contradict each other, `--cors-origin` has an invalid origin, a certificate or token file cannot be used,
/// a thread cannot be started, or the reflection service cannot be built.
pub async fn serve(
    listeners: Listeners,
    engine: Engine,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let readiness = engine.readiness().clone();
    let metrics = engine.metrics().clone();
    let app = app(&engine, health, config)?;
    let tls = config.tls.watch()?;
    let limits = connection_limits(config);
    let trusted = TrustedProxies::new(&config.trusted_proxies);
    let counts = ConnectionCounts {
        open: metrics.connections.clone(),
        aged: metrics.connections_aged.clone(),
        cut_off: metrics.connections_cut_off.clone(),
    };

    readiness.clone().start_reporting(reporter).await;
    tokio::spawn(engine.watch_models());
    tokio::spawn(service_manager::notify(readiness.clone()));
    tokio::spawn(warm_up(engine.clone()));
    let serving = connection::serve(
        listeners.requests,
        tls,
        app,
        limits,
        &trusted,
        &readiness,
        &counts,
    );
    let monitoring = monitor(listeners.metrics, engine, limits);
    let stopping = async {
        shutdown.await;
        tracing::info!("stopping: health reports NOT_SERVING, new requests are still accepted");
        readiness.enter(Phase::Leaving);
        sleep(config.drain_grace).await;
        tracing::info!("stopping: finishing the requests in progress");
        readiness.enter(Phase::Closing);
        sleep(config.drain_timeout).await;
        tracing::warn!("requests still in progress were cut off");
    };
    tokio::select! {
        () = serving => {}
        () = monitoring => {}
        () = stopping => {}
    }
    Ok(())
}

/// Answers scrapes and probes, as long as this future lives.
async fn monitor(listener: Option<TcpListener>, engine: Engine, limits: ConnectionLimits) {
    let Some(listener) = listener else {
        return future::pending().await;
    };
    let limits = ConnectionLimits {
        age: None,
        ..limits
    };
    connection::serve(
        listener,
        None,
        monitoring::routes(engine),
        limits,
        &TrustedProxies::default(),
        // Of its own, because it never closes.
        &Readiness::new(0),
        &ConnectionCounts::default(),
    )
    .await;
}

/// Ready only after an image has been classified.
async fn warm_up(engine: Engine) {
    while let Err(error) = engine.warm_up().await {
        tracing::error!("cannot classify the warm-up image: {error}. Trying again");
        sleep(WARM_UP_RETRY_DELAY).await;
    }
    tracing::info!("ready");
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    let limits = &config.limits;
    ConnectionLimits {
        connections_max: limits.connections_max.into(),
        streams_max: limits.streams_max,
        first_request_timeout: limits.first_request_timeout,
        idle_timeout: limits.idle_timeout,
        write_timeout: limits.write_timeout,
        age: limits.connection_age_max.map(|max| AgeLimits {
            max,
            grace: limits.connection_age_grace,
        }),
    }
}
