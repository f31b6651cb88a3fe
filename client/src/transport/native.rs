use std::{error::Error, time::Duration};

use tonic::{
    Status,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};

use super::ChannelError;

pub(crate) type Channel = tonic::transport::Channel;

/// Long enough for a server on another continent, short enough that a wrong port is reported while the user waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How soon a lost connection is noticed while a response is pending.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// The first line of a certificate in PEM.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// Connects on the first request.
pub(crate) fn channel(server_url: &str) -> Result<Channel, ChannelError> {
    let tls = ClientTlsConfig::new().with_enabled_roots();
    connect(server_url, tls, ChannelError::Url)
}

/// As [`channel`], trusting only the certificate authorities in `certificates`, PEM.
pub(crate) fn channel_with_ca_certificates(
    server_url: &str,
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
    connect(server_url, tls, ChannelError::CaCertificates)
}

fn connect(
    server_url: &str,
    tls: ClientTlsConfig,
    bad_tls: impl FnOnce(String) -> ChannelError,
) -> Result<Channel, ChannelError> {
    let mut endpoint = Endpoint::from_shared(server_url.to_owned())
        .map_err(|error| ChannelError::Url(error.to_string()))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL);
    if endpoint.uri().scheme_str() == Some("https") {
        endpoint = endpoint
            .tls_config(tls)
            .map_err(|error| bad_tls(cause(&error)))?;
    }
    Ok(endpoint.connect_lazy())
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
