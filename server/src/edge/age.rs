//! How long a connection lives. Behind a proxy that balances connections, a client would otherwise stay with one server for
//! ever, and a new server would get nothing.

use std::future;

use http::Version;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::edge::limits::AgeLimits;

/// The age of one connection.
pub(crate) struct Age {
    /// When it should end, and when it has to. `None` if it does not age.
    ends: Option<(Instant, Instant)>,
    /// Version of the requests so far.
    version: watch::Sender<Option<Version>>,
}

/// Share of the age by which it varies, in both directions: connections that began together do not all end together.
const JITTER: f64 = 0.1;

impl Age {
    /// The age of a connection that begins now. Without limits it does not age.
    pub(crate) fn new(limits: Option<AgeLimits>) -> Self {
        let ends = limits.map(|AgeLimits { max, grace }| {
            let old_at = Instant::now() + max.mul_f64(jitter());
            (old_at, old_at + grace)
        });
        Self {
            ends,
            version: watch::Sender::new(None),
        }
    }

    /// Records that the connection carries a request of this version.
    pub(crate) fn carries(&self, version: Version) {
        let _ = self.version.send_if_modified(|known| {
            let first = known.is_none();
            *known = Some(version);
            first
        });
    }

    /// Whether it should end with the next response.
    pub(crate) fn is_old(&self) -> bool {
        self.ends
            .is_some_and(|(old_at, _)| old_at <= Instant::now())
    }

    /// Waits until the connection should end.
    pub(crate) async fn old(&self) {
        until(self.ends.map(|(old_at, _)| old_at)).await;
    }

    /// Waits until requests in progress are not waited for any longer.
    pub(crate) async fn over(&self) {
        until(self.ends.map(|(_, over_at)| over_at)).await;
    }

    /// Waits until the connection carries HTTP/2.
    pub(crate) async fn http2(&self) {
        let mut version = self.version.subscribe();
        let known = version.wait_for(|version| *version == Some(Version::HTTP_2));
        known.await.expect("self holds the sender");
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}

fn jitter() -> f64 {
    1.0 + JITTER * (2.0 * fastrand::f64() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_vary_by_a_tenth_in_both_directions() {
        let all: Vec<_> = (0..1000).map(|_| jitter()).collect();
        assert!(all.iter().all(|factor| (0.9..=1.1).contains(factor)));
        assert!(all.iter().any(|factor| *factor < 0.95));
        assert!(all.iter().any(|factor| *factor > 1.05));
    }
}
