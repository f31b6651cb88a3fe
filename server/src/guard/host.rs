use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, uri::Authority};

use crate::config::Config;

/// The names by which the server may be called. A page of another site can have its own name point to this machine, and
/// would then pass for ours.
#[derive(Clone, Debug)]
pub(crate) enum AllowedHosts {
    Any,
    Only(Arc<[String]>),
}

/// What this machine calls itself.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl AllowedHosts {
    /// Where only this machine can call, its own names and the configured ones; else the configured ones, or any where
    /// none is.
    pub(crate) fn from_config(config: &Config) -> Self {
        let configured = config
            .allowed_hosts
            .iter()
            .map(|host| host.to_ascii_lowercase());
        let ip: IpAddr = config.listen.ip();
        if ip.is_loopback() {
            let own = LOOPBACK_NAMES.map(str::to_owned).into_iter();
            Self::Only(own.chain(configured).collect())
        } else if config.allowed_hosts.is_empty() {
            Self::Any
        } else {
            Self::Only(configured.collect())
        }
    }

    fn allow(&self, host: Option<&str>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Only(names), Some(host)) => {
                names.iter().any(|name| name.eq_ignore_ascii_case(host))
            }
            (Self::Only(_), None) => false,
        }
    }
}

/// 421 to whoever calls the server by a name that is not its own.
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
    if allowed.allow(authority.as_ref().map(Authority::host)) {
        return next.run(request).await;
    }
    let help = "This server is not known by that name: start it with --allowed-host NAME.\n";
    (StatusCode::MISDIRECTED_REQUEST, help).into_response()
}

/// HTTP/2 and proxies name it in the request line, HTTP/1.1 in a header.
fn authority(request: &Request) -> Option<Authority> {
    request.uri().authority().cloned().or_else(|| {
        let host = request.headers().get(header::HOST)?;
        Authority::try_from(host.as_bytes()).ok()
    })
}
