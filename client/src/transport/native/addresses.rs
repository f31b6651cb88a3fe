use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};
use tonic::transport::{self, Endpoint};

use super::{Unreachable, backoff::random, server::Server, turns::Turns};

/// How soon new addresses are noticed, and how soon after an address has failed.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(30);
const RESOLVE_AGAIN_INTERVAL: Duration = Duration::from_secs(1);

/// All addresses of all servers of a client, and the connections to them.
pub(super) struct Addresses {
    servers: Vec<Server>,
    /// Held while names are resolved.
    resolving: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    turns: Turns<Arc<Address>>,
    resolved_at: Option<Instant>,
    has_failed: bool,
}

/// An address of a server, connected when it is first needed.
pub(super) struct Address {
    /// The position of the server, and one of its addresses.
    at: (usize, Option<SocketAddr>),
    endpoint: Endpoint,
    connection: OnceCell<transport::Channel>,
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Addresses {
    pub(super) fn new(servers: Vec<Server>) -> Self {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 255, which is enough to spread clients"
        )]
        let first = (random() * 255.0) as usize;
        Self {
            servers,
            resolving: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                turns: Turns::new(Vec::new(), first),
                resolved_at: None,
                has_failed: false,
            }),
        }
    }

    /// The next address with a connection.
    pub(super) async fn connected(
        self: &Arc<Self>,
    ) -> Result<(Arc<Address>, transport::Channel), Unreachable> {
        self.resolved().await.map_err(Unreachable::Name)?;
        let mut others = self.len().saturating_sub(1);
        loop {
            let Some(address) = self.state().turns.next() else {
                let none = io::Error::other("the name has no address");
                return Err(Unreachable::Name(none));
            };
            match self.connect(&address).await {
                Ok(connection) => return Ok((address, connection)),
                Err(error) => {
                    self.unavailable(&address, None);
                    if others == 0 {
                        return Err(error);
                    }
                    others -= 1;
                }
            }
        }
    }

    /// The connection to `address`. Opens one first if necessary.
    pub(super) async fn connect(
        &self,
        address: &Arc<Address>,
    ) -> Result<transport::Channel, Unreachable> {
        // While one request connects, others wait for it, and fail with it.
        let failures = || self.state().turns.failures(address);
        let before = failures();
        let connect = async || {
            if failures() != before {
                return Err(Unreachable::JustNow);
            }
            let connection = address.endpoint.connect().await;
            connection.map_err(Unreachable::Connection)
        };
        let connection = address.connection.get_or_try_init(connect).await?;
        Ok(connection.clone())
    }

    /// All known addresses.
    pub(super) fn all(&self) -> Vec<Arc<Address>> {
        self.state().turns.servers().cloned().collect()
    }

    pub(super) fn unavailable(&self, address: &Arc<Address>, hint: Option<Duration>) {
        let mut state = self.state();
        state.turns.unavailable(address, hint);
        state.has_failed = true;
    }

    pub(super) fn answered(&self, address: &Arc<Address>) {
        self.state().turns.answered(address);
    }

    /// Another connection is made for the next request.
    pub(super) fn disconnected(&self, address: &Arc<Address>) {
        let fresh = Arc::new(Address {
            at: address.at,
            endpoint: address.endpoint.clone(),
            connection: OnceCell::new(),
        });
        self.state().turns.renew(address, fresh);
    }

    pub(super) fn is_any_available(&self) -> bool {
        self.state().turns.is_any_available()
    }

    /// How many addresses are known.
    pub(super) fn len(&self) -> usize {
        self.state().turns.len()
    }

    /// Resolves all names if that is due. Requests wait for it only as long as no address is known.
    pub(super) async fn resolved(self: &Arc<Self>) -> io::Result<()> {
        if self.len() == 0 {
            return self.resolve().await;
        }
        if self.is_due() && self.resolving.try_lock().is_ok() {
            let addresses = Arc::clone(self);
            // The known addresses stay if it fails.
            tokio::spawn(async move { addresses.resolve().await });
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        let state = self.state();
        state.resolved_at.is_none_or(|at| {
            let age = at.elapsed();
            age > RESOLVE_INTERVAL || (state.has_failed && age > RESOLVE_AGAIN_INTERVAL)
        })
    }

    async fn resolve(&self) -> io::Result<()> {
        let _alone = self.resolving.lock().await;
        if !self.is_due() && self.len() > 0 {
            return Ok(()); // another request has done it
        }
        let mut found = Vec::new();
        let mut unresolved = Vec::new();
        let mut outcome = Ok(());
        for (position, server) in self.servers.iter().enumerate() {
            match server.endpoints().await {
                Ok(endpoints) => found.extend(
                    endpoints
                        .into_iter()
                        .map(|(address, endpoint)| ((position, address), endpoint)),
                ),
                Err(error) => {
                    unresolved.push(position);
                    outcome = Err(error);
                }
            }
        }
        let mut state = self.state();
        state.resolved_at = Some(Instant::now());
        state.has_failed = outcome.is_err();
        if found.is_empty() {
            return outcome;
        }
        let known = state.turns.servers();
        let kept: Vec<_> = known
            .filter(|known| unresolved.contains(&known.at.0))
            .cloned()
            .collect();
        let addresses = found.into_iter().map(|(at, endpoint)| {
            let mut known = state.turns.servers();
            let known = known.find(|known| known.at == at).cloned();
            known.unwrap_or_else(|| {
                Arc::new(Address {
                    at,
                    endpoint,
                    connection: OnceCell::new(),
                })
            })
        });
        let addresses = addresses.chain(kept).collect();
        state.turns.replace(addresses);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever panicked, the state is valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{net::TcpListener, time::sleep};
    use tonic::{
        Request,
        transport::{ClientTlsConfig, server::TcpIncoming},
    };
    use tonic_health::{
        ServingStatus,
        pb::{HealthCheckRequest, health_client::HealthClient},
        server::health_reporter,
    };

    use super::*;
    use crate::transport::{Channel, ChannelError};

    /// A server at `address` that answers with `status`, by which tests know it.
    async fn serve(address: &str, status: ServingStatus) -> SocketAddr {
        let (reporter, service) = health_reporter();
        reporter.set_service_status("", status).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(
            transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpIncoming::from(listener)),
        );
        address
    }

    async fn check(channel: &Channel) -> i32 {
        let request = Request::new(HealthCheckRequest::default());
        let response = HealthClient::new(channel.clone()).check(request).await;
        response.unwrap().into_inner().status
    }

    #[tokio::test]
    async fn the_addresses_of_a_name_take_turns_and_new_ones_are_noticed() {
        let first = serve("127.0.0.1:0", ServingStatus::Serving).await;
        let second = format!("127.0.0.2:{}", first.port());
        let second = serve(&second, ServingStatus::NotServing).await;
        // Nobody listens there.
        let gone: SocketAddr = format!("127.0.0.3:{}", first.port()).parse().unwrap();

        let url = format!("http://servers.test:{}", first.port());
        let mut server = Server::new(&url, &ClientTlsConfig::new(), ChannelError::Url).unwrap();
        let addresses = Arc::new(Mutex::new(vec![gone, first]));
        server.addresses = Some(Arc::clone(&addresses));
        let channel = Channel::new(vec![server]);
        for _ in 0..4 {
            assert_eq!(check(&channel).await, ServingStatus::Serving as i32);
        }
        assert_eq!(channel.addresses(), 2);

        // An address has failed, so that the name is resolved again soon.
        *addresses.lock().unwrap() = vec![first, second];
        sleep(RESOLVE_AGAIN_INTERVAL + Duration::from_millis(100)).await;
        check(&channel).await;
        sleep(Duration::from_millis(100)).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(check(&channel).await);
        }
        answers.sort_unstable();
        let (serving, not) = (
            ServingStatus::Serving as i32,
            ServingStatus::NotServing as i32,
        );
        assert_eq!(answers, [serving, serving, not, not]);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_any_more_keeps_its_addresses() {
        let first = serve("127.0.0.1:0", ServingStatus::Serving).await;
        let second = serve("127.0.0.1:0", ServingStatus::NotServing).await;
        let named = |address: SocketAddr| {
            let url = format!("http://servers.test:{}", address.port());
            let mut server = Server::new(&url, &ClientTlsConfig::new(), ChannelError::Url).unwrap();
            let addresses = Arc::new(Mutex::new(vec![address]));
            server.addresses = Some(Arc::clone(&addresses));
            (server, addresses)
        };
        let ((first, _), (second, of_second)) = (named(first), named(second));
        let addresses = Arc::new(Addresses::new(vec![first, second]));
        addresses.resolve().await.unwrap();
        assert_eq!(addresses.len(), 2);

        of_second.lock().unwrap().clear();
        addresses.state().resolved_at = None;
        addresses.resolve().await.unwrap();
        assert_eq!(addresses.len(), 2);
        assert!(addresses.state().has_failed, "it is tried again soon");
    }
}
