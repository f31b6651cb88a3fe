use std::{io, net::SocketAddr, time::Duration};

use tonic::transport::{ClientTlsConfig, Endpoint};

use super::{CONNECT_TIMEOUT, ChannelError, cause};

/// How soon a lost connection is noticed while a response is pending.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// A server as the caller names it. Its name may have several addresses.
pub(super) struct Server {
    endpoint: Endpoint,
    tls: Option<ClientTlsConfig>,
    /// `None` where there is no name to resolve, as for a Unix socket.
    name: Option<(String, u16)>,
    /// What the name resolves to, in tests; if nothing, resolving fails.
    #[cfg(test)]
    pub(super) addresses: Option<std::sync::Arc<std::sync::Mutex<Vec<SocketAddr>>>>,
}

impl Server {
    pub(super) fn new(
        url: &str,
        tls: &ClientTlsConfig,
        bad_tls: impl FnOnce(String) -> ChannelError,
    ) -> Result<Self, ChannelError> {
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|error| ChannelError::Url(error.to_string()))?;
        let uri = endpoint.uri();
        let default_port = match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let name = uri.host().filter(|_| is_http).map(|host| {
            let host = host.trim_matches(['[', ']']).to_owned();
            (host, uri.port_u16().unwrap_or(default_port))
        });
        let tls = match &name {
            Some((host, _)) if uri.scheme_str() == Some("https") => {
                Some(tls.clone().domain_name(host))
            }
            _ => None,
        };
        let endpoint =
            configured(endpoint, tls.as_ref()).map_err(|error| bad_tls(cause(&error)))?;
        Ok(Self {
            endpoint,
            tls,
            name,
            #[cfg(test)]
            addresses: None,
        })
    }

    /// Each address of the server, and how to connect to it.
    pub(super) async fn endpoints(&self) -> io::Result<Vec<(Option<SocketAddr>, Endpoint)>> {
        let Some((host, port)) = &self.name else {
            return Ok(vec![(None, self.endpoint.clone())]);
        };
        #[cfg(test)]
        if let Some(addresses) = &self.addresses {
            let addresses = addresses.lock().expect("no test panics with it").clone();
            if addresses.is_empty() {
                return Err(io::ErrorKind::NotFound.into());
            }
            let at = |address| Some((Some(address), self.at(address)?));
            return Ok(addresses.into_iter().filter_map(at).collect());
        }
        let mut endpoints = Vec::new();
        for address in tokio::net::lookup_host((host.as_str(), *port)).await? {
            let is_new = endpoints.iter().all(|(known, _)| *known != Some(address));
            if is_new && let Some(endpoint) = self.at(address) {
                endpoints.push((Some(address), endpoint));
            }
        }
        Ok(endpoints)
    }

    /// Connects to `address`; for the server and for TLS it is a connection to the name. `None` if `address` cannot be written as a
    /// URL, as an IPv6 address with a zone.
    fn at(&self, address: SocketAddr) -> Option<Endpoint> {
        let origin = self.endpoint.uri().clone();
        let url = format!("{}://{address}", origin.scheme_str()?);
        let endpoint = Endpoint::from_shared(url).ok()?.origin(origin);
        configured(endpoint, self.tls.as_ref()).ok()
    }
}

fn configured(
    endpoint: Endpoint,
    tls: Option<&ClientTlsConfig>,
) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL);
    match tls {
        Some(tls) => endpoint.tls_config(tls.clone()),
        None => Ok(endpoint),
    }
}
