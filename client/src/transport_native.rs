use std::{error::Error, time::Duration};

use tonic::{
    Status,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};

use crate::CallError;

pub(crate) type Channel = tonic::transport::Channel;

/// Long enough for a server on another continent, short enough that a wrong port is reported while one still watches.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How soon a server that vanished without a word is noticed while it owes an answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// What a certificate in PEM begins with.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// Connects on the first call.
pub(crate) fn channel(server_url: &str) -> Result<Channel, CallError> {
    connect(
        server_url,
        ClientTlsConfig::new().with_enabled_roots(),
        |error| CallError::bad_url(server_url, error),
    )
}

/// As [`channel`], trusting only the authorities in `authorities`, PEM.
pub(crate) fn channel_trusting(server_url: &str, authorities: &[u8]) -> Result<Channel, CallError> {
    // rustls would take none, and then trust nobody.
    let marker = CERTIFICATE.as_bytes();
    if !authorities.windows(marker.len()).any(|part| part == marker) {
        return Err(CallError::bad_authorities(
            "there is no certificate in them",
        ));
    }
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities));
    connect(server_url, tls, CallError::bad_authorities)
}

fn connect(
    server_url: &str,
    tls: ClientTlsConfig,
    bad_tls: impl FnOnce(String) -> CallError,
) -> Result<Channel, CallError> {
    let mut endpoint = Endpoint::from_shared(server_url.to_owned())
        .map_err(|error| CallError::bad_url(server_url, error))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL);
    if endpoint.uri().scheme_str() == Some("https") {
        endpoint = endpoint
            .tls_config(tls)
            .map_err(|error| bad_tls(cause(&error)))?;
    }
    Ok(endpoint.connect_lazy())
}

/// tonic's own words are "transport error".
fn cause(error: &tonic::transport::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// Whether the connection failed, before the call or during it. What a server says has no source; what tonic finds has
/// one, under codes that depend on how the connection ended.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    Error::source(status).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_no_authority() {
        for file in ["", "no certificate", "-----BEGIN PRIVATE KEY-----"] {
            let refusal = channel_trusting("https://localhost", file.as_bytes()).map(drop);
            let told = refusal.unwrap_err().to_string();
            assert!(told.contains("there is no certificate"), "{told}");
        }
    }
}
