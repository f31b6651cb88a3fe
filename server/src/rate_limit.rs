use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use tokio::time::sleep;

use crate::{
    call::{Call, Method},
    connection::Peer,
    refusal::Refusals,
    status::Failure,
    tokens::Caller,
};

/// How often each caller may classify. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RateLimit {
    limiter: Arc<DefaultKeyedRateLimiter<Key>>,
    clock: DefaultClock,
}

/// One caller: a token, or where there is none an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Caller(Caller),
    Address(IpAddr),
}

/// How often callers are forgotten who have not called for a while.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

impl RateLimit {
    /// `calls_per_second` for each caller, a second's worth of them at once.
    pub(crate) fn new(calls_per_second: NonZeroU32) -> Self {
        let limiter = Arc::new(RateLimiter::keyed(Quota::per_second(calls_per_second)));
        let weak = Arc::downgrade(&limiter);
        tokio::spawn(async move {
            while let Some(limiter) = weak.upgrade() {
                limiter.retain_recent();
                drop(limiter);
                sleep(FORGET_INTERVAL).await;
            }
        });
        Self {
            limiter,
            clock: DefaultClock::default(),
        }
    }

    /// How long the caller has to wait, if it has to.
    fn check(&self, key: &Key) -> Result<(), Duration> {
        let now = self.clock.now();
        self.limiter
            .check_key(key)
            .map_err(|not_until| not_until.wait_time_from(now))
    }
}

/// Refuses callers who call too often.
pub(crate) async fn enforce(
    State((rate_limit, refusals)): State<(RateLimit, Refusals)>,
    request: Request,
    next: Next,
) -> Response {
    let call = Call::of(request.extensions());
    if call.method == Method::Classify
        && let Some(key) = key(&request)
        && let Err(retry_delay) = rate_limit.check(&key)
    {
        return refusals.refuse(&call, &Failure::RateLimited { retry_delay });
    }
    next.run(request).await
}

fn key(request: &Request) -> Option<Key> {
    let extensions = request.extensions();
    if let Some(caller) = extensions.get::<Caller>() {
        return Some(Key::Caller(caller.clone()));
    }
    let Peer(address) = extensions.get::<Peer>()?;
    Some(Key::Address(network(address.ip())))
}

/// A household has a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_of_one_household_count_as_one() {
        let network = |text: &str| super::network(text.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
