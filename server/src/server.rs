//! The life of the server: listen, serve, and stop on a signal.

use std::io;

use axum::{Router, routing::get};
use http::{StatusCode, header};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{net::TcpListener, time::sleep};

use crate::{
    app::app,
    config::Config,
    edge::{connection, limits::ConnectionLimits},
    engine::Engine,
    observe::{logging::log_error, metrics::Metrics},
    readiness::Phase,
    service_manager,
};

/// The sockets that the server listens on.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub requests: TcpListener,
    /// For Prometheus.
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

    readiness.clone().start_reporting(reporter).await;
    tokio::spawn(engine.watch_models());
    tokio::spawn(service_manager::notify(readiness.clone()));
    tokio::spawn(warm_up(engine));
    let serving = async {
        let metrics_app = metrics_app(metrics.clone());
        let scraped = async {
            if let Some(listener) = listeners.metrics {
                connection::serve(
                    listener,
                    None,
                    metrics_app,
                    limits,
                    &readiness,
                    &Gauge::default(),
                )
                .await;
            }
        };
        tokio::join!(
            connection::serve(
                listeners.requests,
                tls,
                app,
                limits,
                &readiness,
                &metrics.connections
            ),
            scraped
        );
    };
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
        () = stopping => {}
    }
    Ok(())
}

/// Ready only after an image has been classified.
async fn warm_up(engine: Engine) {
    match engine.warm_up().await {
        Ok(()) => tracing::info!("ready"),
        Err(error) => log_error("warm-up", &error),
    }
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    let limits = &config.limits;
    ConnectionLimits {
        connections_max: limits.connections_max.into(),
        streams_max: limits.streams_max,
        first_request_timeout: limits.first_request_timeout,
        idle_timeout: limits.idle_timeout,
        write_timeout: limits.write_timeout,
    }
}

fn metrics_app(metrics: Metrics) -> Router {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let scrape = async move || match metrics.render() {
        Ok(text) => Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text)),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    };
    Router::new().route("/metrics", get(scrape))
}
