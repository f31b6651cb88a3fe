use std::{error::Error, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use http::{Request, Response};
use imageclassifier_proto::SERVICE_NAME;
use tokio::time::timeout;
use tonic::body::Body;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tower_service::Service;

use crate::{CallError, Classifier};

/// The state of a server, from `grpc.health.v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers requests.
    Serving,
    /// It is starting or stopping.
    NotServing,
}

impl Classifier {
    /// Whether the server answers requests. Of several, all addresses are asked at once, and it is enough if one does.
    ///
    /// # Errors
    /// [`CallError`], for example if no server can be reached.
    pub async fn health(&self) -> Result<Health, CallError> {
        let servers = in_time(self.timeout, async { Ok(self.channel.each().await) }).await?;
        if servers.is_empty() {
            return self.check(self.channel.clone()).await;
        }
        let checks = servers.into_iter().map(|server| self.check(server));
        let mut checks: FuturesUnordered<_> = checks.collect();
        let mut outcome = Ok(Health::NotServing);
        let mut has_answer = false;
        while let Some(health) = checks.next().await {
            match health {
                Ok(Health::Serving) => return health,
                Ok(Health::NotServing) => {
                    has_answer = true;
                    outcome = health;
                }
                Err(_) if has_answer => {}
                Err(_) => outcome = health,
            }
        }
        outcome
    }

    async fn check<S>(&self, server: S) -> Result<Health, CallError>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let message = HealthCheckRequest {
            service: SERVICE_NAME.to_owned(),
        };
        let mut rpc = HealthClient::new(server);
        let answer = rpc.check(self.request_with_timeout(message));
        // To connect may take longer than the request has.
        let answer = in_time(self.timeout, async { Ok(answer.await?) }).await?;
        Ok(match answer.into_inner().status() {
            ServingStatus::Serving => Health::Serving,
            ServingStatus::Unknown | ServingStatus::NotServing | ServingStatus::ServiceUnknown => {
                Health::NotServing
            }
        })
    }
}

async fn in_time<T>(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    match limit {
        Some(limit) => timeout(limit, answer)
            .await
            .unwrap_or_else(|_| Err(CallError::out_of_time())),
        None => answer.await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::net::TcpListener;
    use tonic::transport::{Server, server::TcpIncoming};
    use tonic_health::server::health_reporter;

    use super::*;
    use crate::ErrorKind;

    const NOWHERE: &str = "http://127.0.0.1:1";

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    async fn serve(status: tonic_health::ServingStatus) -> String {
        let (reporter, service) = health_reporter();
        reporter.set_service_status(SERVICE_NAME, status).await;
        let (listener, url) = listen().await;
        let server = Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        url
    }

    async fn health(urls: &[&str]) -> Result<Health, CallError> {
        let classifier = Classifier::new(&urls.join(",")).unwrap();
        let classifier = classifier.with_timeout(Duration::from_millis(500));
        classifier.health().await
    }

    #[tokio::test]
    async fn of_several_servers_one_that_serves_is_enough() {
        let serving = serve(tonic_health::ServingStatus::Serving).await;
        let stopping = serve(tonic_health::ServingStatus::NotServing).await;
        // The system accepts connections, and nobody answers.
        let (_open, silent) = listen().await;
        for _ in 0..10 {
            let all = [&*stopping, NOWHERE, &silent, &serving];
            let since = Instant::now();
            assert_eq!(health(&all).await.unwrap(), Health::Serving);
            assert!(since.elapsed() < Duration::from_millis(400));
            let none = health(&[NOWHERE, &stopping]).await;
            assert_eq!(none.unwrap(), Health::NotServing);
        }
        let since = Instant::now();
        let late = health(&[&silent, &silent, &stopping]).await;
        assert_eq!(late.unwrap(), Health::NotServing);
        let late = health(&[&silent, &silent]).await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
        assert!(since.elapsed() < Duration::from_millis(1500));
        let error = health(&[NOWHERE, NOWHERE]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let error = health(&["http://name.invalid:1"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}
