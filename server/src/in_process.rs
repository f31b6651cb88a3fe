use std::io;

use axum::{body::Body, response::Response};
use http::Request;
use tower::ServiceExt;

use crate::{app, config::Config, engine::Engine};

/// Everything between the connections and the engine, for callers that already hold the request: the fuzzers. Access tokens
/// are not reloaded, and there is no shutdown.
#[derive(Clone)]
pub struct InProcess(app::App);

impl InProcess {
    /// The server is ready when this returns.
    ///
    /// # Errors
    /// As [`crate::serve`], and if the engine cannot classify.
    pub async fn start(engine: Engine, config: &Config) -> io::Result<Self> {
        let (_, health) = tonic_health::server::health_reporter();
        let app = app::app(&engine, health, config)?;
        engine.warm_up().await.map_err(io::Error::other)?;
        Ok(Self(app))
    }

    /// Answers any request.
    pub async fn call(&self, request: Request<Body>) -> Response {
        let answer = self.0.clone().oneshot(request).await;
        answer.unwrap_or_else(|never| match never {})
    }
}
