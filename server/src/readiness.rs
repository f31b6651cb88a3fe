use std::sync::Arc;

use imageclassifier_proto::{INFERENCE_SERVICE_NAME, SERVICE_NAME};
use tokio::sync::watch;
use tonic_health::{ServingStatus, server::HealthReporter};

/// The names whose health is reported: the server as a whole, and its services.
const NAMES: [&str; 3] = ["", SERVICE_NAME, INFERENCE_SERVICE_NAME];

/// Whether requests should be sent to this server, and whether it accepts them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Readiness(Arc<watch::Sender<Condition>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Condition {
    warm: bool,
    live_workers: usize,
    phase: Phase,
}

/// The phase of the server's shutdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    #[default]
    Serving,
    /// Requests are still accepted, but health says that they should be sent elsewhere.
    Leaving,
    /// New requests are not accepted.
    Closing,
}

/// Whether requests should be sent to this server, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    Ready,
    Starting,
    NoWorkers,
    Stopping,
}

/// A worker that has died. Dropping this says that it works again.
#[derive(Debug)]
pub(crate) struct DeadWorker(Readiness);

impl Readiness {
    /// Not ready until [`Self::warm`] is called.
    pub(crate) fn new(workers: usize) -> Self {
        Self(Arc::new(watch::Sender::new(Condition {
            warm: false,
            live_workers: workers,
            phase: Phase::default(),
        })))
    }

    /// Records that the network has answered once.
    pub(crate) fn warm(&self) {
        self.0.send_modify(|condition| condition.warm = true);
    }

    pub(crate) fn worker_died(&self) -> DeadWorker {
        self.0.send_modify(|condition| condition.live_workers -= 1);
        DeadWorker(self.clone())
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.send_modify(|condition| condition.phase = phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        self.0.borrow().phase
    }

    /// Whether a new request is accepted: one live worker is enough.
    pub(crate) fn accepts_requests(&self) -> bool {
        let condition = *self.0.borrow();
        condition.warm && condition.live_workers > 0 && condition.phase < Phase::Closing
    }

    /// Whether requests should be sent to this server.
    pub(crate) fn is_ready(&self) -> bool {
        self.situation() == Situation::Ready
    }

    pub(crate) fn situation(&self) -> Situation {
        let condition = *self.0.borrow();
        if condition.phase > Phase::Serving {
            Situation::Stopping
        } else if !condition.warm {
            Situation::Starting
        } else if condition.live_workers == 0 {
            Situation::NoWorkers
        } else {
            Situation::Ready
        }
    }

    /// Whether the network has answered once.
    pub(crate) fn is_warm(&self) -> bool {
        self.0.borrow().warm
    }

    /// Waits until the server begins to close.
    pub(crate) async fn closing(&self) {
        self.until(|readiness| readiness.phase() == Phase::Closing)
            .await;
    }

    /// Waits until `holds` does.
    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut changes = self.0.subscribe();
        while !holds(self) {
            changes.changed().await.expect("self holds the sender");
        }
    }

    /// Reports every change to grpc.health.v1 until the server closes. Then it removes the names, so that open health
    /// watches end.
    pub(crate) async fn report(self, reporter: HealthReporter) {
        let mut condition = self.0.subscribe();
        loop {
            let ready = self.is_ready();
            let status = if ready {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            };
            for name in NAMES {
                reporter.set_service_status(name, status).await;
            }
            if self.phase() == Phase::Closing {
                break;
            }
            condition.changed().await.expect("self holds the sender");
        }
        let mut reporter = reporter;
        for name in NAMES {
            reporter.clear_service_status(name).await;
        }
    }
}

impl Drop for DeadWorker {
    fn drop(&mut self) {
        self.0
            .0
            .send_modify(|condition| condition.live_workers += 1);
    }
}
