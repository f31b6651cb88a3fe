use std::sync::Arc;

use imageclassifier_proto::{INFERENCE_SERVICE_NAME, SERVICE_NAME};
use tokio::sync::watch;
use tonic_health::{ServingStatus, server::HealthReporter};

/// The names whose health is reported: the server as a whole, and its services.
const NAMES: [&str; 3] = ["", SERVICE_NAME, INFERENCE_SERVICE_NAME];

/// Whether calls should be sent here, and whether they are taken. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Readiness(Arc<watch::Sender<Condition>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Condition {
    warm: bool,
    live_workers: usize,
    phase: Phase,
}

/// How far the server has got with stopping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    #[default]
    Serving,
    /// Calls are still taken, but said to be better sent elsewhere.
    Leaving,
    /// No new calls.
    Closing,
}

/// A worker that is not at work. Dropped when it is again.
#[derive(Debug)]
pub(crate) struct DeadWorker(Readiness);

impl Readiness {
    /// Not ready, until [`Self::warm`] is called.
    pub(crate) fn new(workers: usize) -> Self {
        Self(Arc::new(watch::Sender::new(Condition {
            warm: false,
            live_workers: workers,
            phase: Phase::default(),
        })))
    }

    /// The network has answered once.
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

    /// Whether a request that comes now is taken: one worker is enough.
    pub(crate) fn takes_calls(&self) -> bool {
        let condition = *self.0.borrow();
        condition.warm && condition.live_workers > 0 && condition.phase < Phase::Closing
    }

    /// Whether calls should be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        self.takes_calls() && self.phase() == Phase::Serving
    }

    /// Until the server begins to close.
    pub(crate) async fn closing(&self) {
        let mut condition = self.0.subscribe();
        let closing = condition.wait_for(|condition| condition.phase == Phase::Closing);
        closing.await.expect("self holds the sender");
    }

    /// Tells grpc.health.v1 of every change, until the server closes. Then nothing is left to watch, so that the calls of
    /// those who do end.
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
