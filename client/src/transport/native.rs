mod addresses;
mod backoff;
mod channel;
mod server;
mod turns;

use std::{error::Error, io, time::Duration};

use tonic::{
    ConnectError, Status,
    transport::{Certificate, ClientTlsConfig},
};

use super::ChannelError;
use server::Server;

pub(crate) use backoff::backoff;
pub(crate) use channel::Channel;

/// Long enough for a server on another continent, short enough that a wrong port is reported while the user waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// No server can be reached.
#[derive(Debug, thiserror::Error)]
enum Unreachable {
    #[error("the name cannot be resolved")]
    Name(#[source] io::Error),
    #[error(transparent)]
    Connection(tonic::transport::Error),
    #[error("the server was unreachable just now")]
    JustNow,
}

/// The first line of a certificate in PEM.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// A channel to the servers at `server_urls`, separated by commas. Connects on the first request.
pub(crate) fn channel(server_urls: &str) -> Result<Channel, ChannelError> {
    let tls = ClientTlsConfig::new().with_enabled_roots();
    connect(server_urls, &tls, ChannelError::Url)
}

/// As [`channel`], trusting only the certificate authorities in `certificates`, PEM.
pub(crate) fn channel_with_ca_certificates(
    server_urls: &str,
    certificates: &[u8],
) -> Result<Channel, ChannelError> {
    // rustls would accept an empty list, and then trust no server.
    let marker = CERTIFICATE.as_bytes();
    if !certificates
        .windows(marker.len())
        .any(|part| part == marker)
    {
        let why = "they contain no certificate".to_owned();
        return Err(ChannelError::CaCertificates(why));
    }
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificates));
    connect(server_urls, &tls, ChannelError::CaCertificates)
}

fn connect(
    server_urls: &str,
    tls: &ClientTlsConfig,
    bad_tls: fn(String) -> ChannelError,
) -> Result<Channel, ChannelError> {
    let urls = server_urls.split(',').map(str::trim);
    let servers = urls.map(|url| Server::new(url, tls, bad_tls));
    Ok(Channel::new(servers.collect::<Result<_, _>>()?))
}

/// tonic's own message is "transport error": its source says more.
fn cause(error: &tonic::transport::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// Whether the connection failed, before the request or during it. A status from the server has no source. One from tonic has
/// a source, and a code that depends on how the connection ended.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    Error::source(status).is_some()
}

/// Whether a connection ended before its server began to process the request: it was not sent, or HTTP/2 says so (GOAWAY,
/// REFUSED_STREAM). Another connection may be open or opened at once.
pub(crate) fn is_unprocessed(status: &Status) -> bool {
    Error::source(status).is_some_and(was_unprocessed)
}

fn was_unprocessed(error: &(dyn Error + 'static)) -> bool {
    // If no server can be reached, all have been tried already.
    !is_in_chain::<Unreachable>(error)
        && chain(error).any(|error| {
            error.is::<ConnectError>()
                || error.downcast_ref().is_some_and(hyper::Error::is_canceled)
                || error.downcast_ref().is_some_and(is_rejected_by_http2)
        })
}

fn is_rejected_by_http2(error: &h2::Error) -> bool {
    let reason = error.reason();
    error.is_remote()
        && (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR)
            || error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM))
}

fn is_in_chain<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<E>())
}

/// The error and what caused it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_file_without_a_certificate() {
        for file in ["", "no certificate", "-----BEGIN PRIVATE KEY-----"] {
            let result =
                channel_with_ca_certificates("https://localhost", file.as_bytes()).map(drop);
            let message = result.unwrap_err().to_string();
            assert!(message.contains("no certificate"), "{message}");
        }
    }
}
