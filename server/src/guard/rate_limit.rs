use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use http::Extensions;
use tokio::time::sleep;

use crate::{
    guard::tokens::Caller,
    observe::error_reporter::ErrorReporter,
    request::{error::RequestError, head::RequestHead, peer::Peer},
};

/// How often each client may classify. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RateLimit {
    limiter: Arc<DefaultKeyedRateLimiter<Key>>,
    clock: DefaultClock,
}

/// One client: a token or, if there are no tokens, an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Caller(Caller),
    Address(IpAddr),
}

/// How often idle clients are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

impl RateLimit {
    /// Allows `calls_per_second` for each client, and bursts of one second's worth.
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

    /// Fails with the time that the client has to wait.
    fn check(&self, key: &Key) -> Result<(), Duration> {
        let now = self.clock.now();
        self.limiter
            .check_key(key)
            .map_err(|not_until| not_until.wait_time_from(now))
    }
}

/// Rejects clients that send requests too often.
pub(crate) async fn enforce(
    State((rate_limit, reporter)): State<(RateLimit, ErrorReporter)>,
    mut request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let allowance = Allowance(key(&request).map(|key| (rate_limit, key)));
    if head.method.has_one_image()
        && let Err(error) = allowance.take()
    {
        return reporter.reject(&head, &error);
    }
    request.extensions_mut().insert(allowance);
    next.run(request).await
}

/// What the client may still send, as an extension of its request: each image of a batch or stream counts.
#[derive(Clone, Default)]
pub(crate) struct Allowance(Option<(RateLimit, Key)>);

impl Allowance {
    pub(crate) fn from_extensions(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// For one image.
    ///
    /// # Errors
    /// [`RequestError::RateLimited`].
    pub(crate) fn take(&self) -> Result<(), RequestError> {
        let Some((rate_limit, key)) = &self.0 else {
            return Ok(());
        };
        rate_limit
            .check(key)
            .map_err(|retry_delay| RequestError::RateLimited { retry_delay })
    }
}

fn key(request: &Request) -> Option<Key> {
    let extensions = request.extensions();
    if let Some(caller) = extensions.get::<Caller>() {
        return Some(Key::Caller(caller.clone()));
    }
    extensions
        .get()
        .map(|peer: &Peer| Key::Address(peer.network()))
}
