//! The host names under which the server may be called. A page of another site can make its own name resolve to this
//! machine, and would then pass for ours (DNS rebinding). Health checks may use any name: proxies use names of their own, and
//! the answer says no more than whether the server is ready.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header, uri::Authority};

use crate::{
    config::Config,
    request::method::{Method as RpcMethod, is_oip_path},
};

/// The hosts that requests may name. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum AllowedHosts {
    Any,
    Only(Arc<[Host]>),
}

/// A host without its port, normalised so that equal hosts compare equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Ip(IpAddr),
    /// In lower case, without a trailing dot.
    Name(String),
}

/// Names that a machine has for itself.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl AllowedHosts {
    /// The configured names and the listen address, if it is a single one; on a loopback address also the loopback names.
    /// Any host is allowed if no name is configured and the network can reach the server.
    pub(crate) fn from_config(config: &Config) -> Self {
        let ip = config.listen.ip().to_canonical();
        let configured = &config.allowed_hosts;
        if configured.is_empty() && !ip.is_loopback() {
            return Self::Any;
        }
        let mut hosts: Vec<_> = configured
            .iter()
            .map(|host| Host::configured(host))
            .collect();
        if ip.is_loopback() {
            hosts.extend(LOOPBACK_NAMES.map(Host::parse));
        }
        if !ip.is_unspecified() {
            hosts.push(Host::Ip(ip));
        }
        Self::Only(hosts.into())
    }

    fn allow(&self, host: Option<&str>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Only(hosts), Some(host)) => hosts.contains(&Host::parse(host)),
            (Self::Only(_), None) => false,
        }
    }
}

impl Host {
    /// Parses a configured name. It may have a port, which is ignored.
    fn configured(text: &str) -> Self {
        let authority = Authority::try_from(text).ok();
        Self::parse(authority.as_ref().map_or(text, Authority::host))
    }

    /// Parses a host. Addresses compare equal however they are written: IPv6 with or without brackets and zeros, IPv4
    /// mapped to IPv6.
    fn parse(text: &str) -> Self {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match bare.unwrap_or(text).parse::<IpAddr>() {
            Ok(ip) => Self::Ip(ip.to_canonical()),
            Err(_) => {
                let name = text.strip_suffix('.').unwrap_or(text);
                Self::Name(name.to_ascii_lowercase())
            }
        }
    }
}

/// Answers 421 if the request's host is not allowed and it is no health check.
pub(crate) async fn check(
    State(allowed): State<AllowedHosts>,
    request: Request,
    next: Next,
) -> Response {
    let authority = authority(&request);
    if authority.is_none() && request.headers().get(header::HOST).is_none() {
        let help = "The request has no Host header: send one that names this server.\n";
        return (StatusCode::BAD_REQUEST, help).into_response();
    }
    if allowed.allow(authority.as_ref().map(Authority::host)) || is_health_check(&request) {
        return next.run(request).await;
    }
    let help = "This server is not known by that name: start it with --allowed-host NAME.\n";
    (StatusCode::MISDIRECTED_REQUEST, help).into_response()
}

fn is_health_check(request: &Request) -> bool {
    let path = request.uri().path();
    let methods: &[_] = if is_oip_path(path) {
        &[Method::GET, Method::HEAD]
    } else {
        &[Method::POST]
    };
    methods.contains(request.method()) && RpcMethod::parse_path(path).probes()
}

/// The host that a request names: HTTP/2 and proxies put it in the request line, HTTP/1.1 in a header.
fn authority(request: &Request) -> Option<Authority> {
    request.uri().authority().cloned().or_else(|| {
        let host = request.headers().get(header::HOST)?;
        Authority::try_from(host.as_bytes()).ok()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_server_is_known_by_the_address_that_it_listens_on() {
        for (listen, configured, allowed, denied) in [
            (
                "127.0.0.1:1",
                "",
                "127.0.0.1 [::1] localhost LocalHost.",
                "127.0.0.2 example.com",
            ),
            (
                "127.0.0.2:1",
                "",
                "127.0.0.2 localhost",
                "127.0.0.3 example.com",
            ),
            (
                "[::1]:1",
                "",
                "[::1] [0:0:0:0:0:0:0:1] localhost",
                "[::2] example.com",
            ),
            (
                "[::ffff:127.0.0.2]:1",
                "",
                "[::ffff:127.0.0.2] 127.0.0.2 localhost",
                "[::2]",
            ),
            ("192.0.2.1:1", "", "192.0.2.1 localhost example.com", ""),
            (
                "192.0.2.1:1",
                "a.example",
                "192.0.2.1 A.example",
                "192.0.2.2 localhost b.example",
            ),
            (
                "[2001:db8::1]:1",
                "a.example",
                "[2001:db8::1] [2001:0DB8::0:1]",
                "[2001:db8::2]",
            ),
            (
                "0.0.0.0:1",
                "a.example:443",
                "a.example",
                "0.0.0.0 b.example",
            ),
            ("[::]:1", "2001:db8::5", "[2001:db8::5]", "[::] 2001:db8::6"),
        ] {
            let arguments = ["server", "--listen", listen, "--allowed-host", configured];
            let given = if configured.is_empty() { 3 } else { 5 };
            let hosts = AllowedHosts::from_config(&Config::parse_from(&arguments[..given]));
            for host in allowed.split_whitespace() {
                assert!(hosts.allow(Some(host)), "{host} at {listen}");
            }
            for host in denied.split_whitespace() {
                assert!(!hosts.allow(Some(host)), "{host} at {listen}");
            }
        }
    }
}
