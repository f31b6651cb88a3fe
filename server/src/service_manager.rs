use std::slice;

use sd_notify::NotifyState;

use crate::readiness::{Phase, Readiness};

/// Tells systemd, for services of `Type=notify`, that the server is ready, and later that it stops. Other service managers set
/// no `NOTIFY_SOCKET`, and are told nothing.
pub(crate) async fn notify(readiness: Readiness) {
    readiness.until(Readiness::is_ready).await;
    tell(NotifyState::Ready);
    readiness
        .until(|readiness| readiness.phase() > Phase::Serving)
        .await;
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(slice::from_ref(&state)) {
        tracing::warn!("cannot tell the service manager {state:?}: {error}");
    }
}
