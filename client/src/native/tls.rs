use crate::{CallError, Classifier, transport::channel_with_ca_certificates};

impl Classifier {
    /// As [`new`](Self::new), but trusts the CA certificates in `certificates`, PEM, instead of the system's.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if `certificates` contains no certificate.
    pub fn with_ca_certificates(server_url: &str, certificates: &[u8]) -> Result<Self, CallError> {
        let channel = channel_with_ca_certificates(server_url, certificates)
            .map_err(|error| CallError::channel(server_url, error))?;
        Ok(Self::over(channel))
    }

    /// The old name of [`with_ca_certificates`](Self::with_ca_certificates).
    ///
    /// # Errors
    /// As [`with_ca_certificates`](Self::with_ca_certificates).
    #[deprecated(since = "0.1.0", note = "use `with_ca_certificates`")]
    pub fn trusting(server_url: &str, authorities: &[u8]) -> Result<Self, CallError> {
        Self::with_ca_certificates(server_url, authorities)
    }
}
