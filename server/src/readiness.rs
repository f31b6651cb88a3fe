use imageclassifier_proto::SERVICE_NAME;
use tonic_health::{ServingStatus, server::HealthReporter};

/// The names whose health is reported: the server as a whole, and the service.
const NAMES: [&str; 2] = ["", SERVICE_NAME];

/// Says through grpc.health.v1 whether calls should be sent here.
#[derive(Clone)]
pub(crate) struct Readiness(HealthReporter);

impl Readiness {
    /// Not ready, until [`Self::ready`] is called.
    pub(crate) async fn new(reporter: HealthReporter) -> Self {
        let readiness = Self(reporter);
        readiness.not_ready().await;
        readiness
    }

    pub(crate) async fn ready(&self) {
        self.report(ServingStatus::Serving).await;
    }

    pub(crate) async fn not_ready(&self) {
        self.report(ServingStatus::NotServing).await;
    }

    async fn report(&self, status: ServingStatus) {
        for name in NAMES {
            self.0.set_service_status(name, status).await;
        }
    }
}
