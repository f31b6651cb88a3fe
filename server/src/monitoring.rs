//! What the metrics port serves: metrics for Prometheus, and probes for supervisors such as Kubernetes. It has no TLS and no
//! access tokens.

use std::fmt;

use axum::{Router, routing::get};
use http::{StatusCode, header};

use crate::{
    engine::{Engine, load::Load},
    readiness::Situation,
};

pub(crate) fn routes(engine: Engine) -> Router {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let readiness = engine.readiness().clone();
    let started = readiness.clone();
    let scrape = async move || match render(&engine) {
        Ok(text) => Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text)),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    };
    // That this is answered is all that it says.
    let livez = async || "alive\n";
    let startupz = async move || match started.is_warm() {
        true => (StatusCode::OK, "started\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
    };
    let readyz = async move || match readiness.situation() {
        Situation::Ready => (StatusCode::OK, "ready\n"),
        Situation::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Situation::NoWorkers => (
            StatusCode::SERVICE_UNAVAILABLE,
            "no compute thread is alive\n",
        ),
        Situation::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    };
    Router::new()
        .route("/metrics", get(scrape))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/startupz", get(startupz))
}

/// All metrics, with the load at this moment.
fn render(engine: &Engine) -> Result<String, fmt::Error> {
    let Load {
        queue_length,
        queue_wait,
        workers_busy,
    } = engine.load();
    let metrics = engine.metrics();
    metrics.set_load(queue_length, queue_wait, workers_busy);
    metrics.render()
}
