use imageclassifier_proto::SERVICE_NAME;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

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
    /// Whether the server answers requests.
    ///
    /// # Errors
    /// [`CallError`], for example if the server cannot be reached.
    pub async fn health(&self) -> Result<Health, CallError> {
        let message = HealthCheckRequest {
            service: SERVICE_NAME.to_owned(),
        };
        let mut rpc = HealthClient::new(self.channel.clone());
        let answer = rpc.check(self.request_with_timeout(message)).await?;
        Ok(match answer.into_inner().status() {
            ServingStatus::Serving => Health::Serving,
            ServingStatus::Unknown | ServingStatus::NotServing | ServingStatus::ServiceUnknown => {
                Health::NotServing
            }
        })
    }
}
