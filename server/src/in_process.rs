use std::io;

use axum::{body::Body, response::Response};
use http::Request;
use tower::ServiceExt;

use crate::{app, config::Config, engine::Engine};

/// Everything between the connections and the engine, for who has the request already: the fuzzers. Its access tokens are
/// not reloaded, and it is never drained.
#[derive(Clone)]
pub struct InProcess(app::App);

impl InProcess {
    /// Ready when this returns.
    ///
    /// # Errors
    /// As [`crate::serve`], and if the engine cannot classify.
    pub async fn start(engine: Engine, config: &Config) -> io::Result<Self> {
        let (_, health) = tonic_health::server::health_reporter();
        let app = app::app(&engine, health, config)?;
        engine.warm_up().await.map_err(io::Error::other)?;
        Ok(Self(app))
    }

    /// The answer, whatever was asked.
    pub async fn call(&self, request: Request<Body>) -> Response {
        let answer = self.0.clone().oneshot(request).await;
        answer.unwrap_or_else(|never| match never {})
    }
}
