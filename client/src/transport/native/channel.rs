use std::{
    error::Error,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use tonic::{Code, ConnectError, TimeoutExpired, body::Body};
use tower_service::Service;

use super::{
    addresses::{Address, Addresses},
    server::Server,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// One HTTP/2 connection to each address of the servers. Requests take turns over those that can be reached.
#[derive(Clone)]
pub(crate) struct Channel(Arc<Addresses>);

impl Channel {
    pub(super) fn new(servers: Vec<Server>) -> Self {
        Self(Arc::new(Addresses::new(servers)))
    }

    /// How many addresses are known, at least 1.
    pub(crate) fn addresses(&self) -> usize {
        self.0.len().max(1)
    }

    /// As [`addresses`](Self::addresses), after the servers' names have been resolved.
    pub(crate) async fn resolved_addresses(&self) -> usize {
        // The first request reports the error.
        let _ = self.0.resolved().await;
        self.addresses()
    }

    /// A channel to each address alone; none if no name can be resolved.
    pub(crate) async fn each(&self) -> Vec<AddressChannel> {
        // The first request reports the error.
        let _ = self.0.resolved().await;
        let all = self.0.all().into_iter();
        all.map(|address| AddressChannel(Arc::clone(&self.0), address))
            .collect()
    }

    /// Whether a server has not failed just now.
    pub(crate) fn is_any_available(&self) -> bool {
        self.0.is_any_available()
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let addresses = Arc::clone(&self.0);
        Box::pin(async move {
            let (address, mut connection) = addresses.connected().await?;
            poll_fn(|context| connection.poll_ready(context)).await?;
            let result = connection.call(request).await;
            note(&addresses, &address, &result);
            Ok(result?)
        })
    }
}

/// The connection to one address. Its responses do not change where other requests go.
#[derive(Clone)]
pub(crate) struct AddressChannel(Arc<Addresses>, Arc<Address>);

impl Service<Request<Body>> for AddressChannel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self(addresses, address) = self.clone();
        Box::pin(async move {
            let mut connection = addresses.connect(&address).await?;
            poll_fn(|context| connection.poll_ready(context)).await?;
            Ok(connection.call(request).await?)
        })
    }
}

/// What the result says about the server at `address`.
fn note(
    addresses: &Addresses,
    address: &Arc<Address>,
    result: &Result<Response<Body>, tonic::transport::Error>,
) {
    match result {
        Ok(response) if code(response) == Some(Code::Unavailable) => {
            addresses.unavailable(address, pushback(response));
        }
        Ok(_) => addresses.answered(address),
        Err(error) if super::is_in_chain::<ConnectError>(error) => {
            addresses.unavailable(address, None);
            addresses.disconnected(address);
        }
        // The request took too long, which may be its own fault; or the server closed this connection but keeps running.
        Err(error)
            if super::is_in_chain::<TimeoutExpired>(error) || super::was_unprocessed(error) => {}
        Err(_) => addresses.unavailable(address, None),
    }
}

/// The status of a response without messages.
fn code(response: &Response<Body>) -> Option<Code> {
    let code = response.headers().get("grpc-status")?;
    Some(Code::from_bytes(code.as_bytes()))
}

/// The server's hint.
fn pushback(response: &Response<Body>) -> Option<Duration> {
    let pushback = response.headers().get("grpc-retry-pushback-ms")?;
    Some(Duration::from_millis(pushback.to_str().ok()?.parse().ok()?))
}
