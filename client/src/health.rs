use imageclassifier_proto::SERVICE_NAME;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{CallError, Classifier};

/// What a server says of itself, by `grpc.health.v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers calls.
    Serving,
    /// It is starting or stopping.
    NotServing,
}

impl Classifier {
    /// Whether the server answers calls.
    ///
    /// # Errors
    /// [`CallError`], for example if it is out of reach.
    pub async fn health(&self) -> Result<Health, CallError> {
        let request = HealthCheckRequest {
            service: SERVICE_NAME.to_owned(),
        };
        let mut rpc = HealthClient::new(self.channel.clone());
        let answer = rpc.check(self.timed(request)).await?;
        Ok(match answer.into_inner().status() {
            ServingStatus::Serving => Health::Serving,
            ServingStatus::Unknown | ServingStatus::NotServing | ServingStatus::ServiceUnknown => {
                Health::NotServing
            }
        })
    }
}
