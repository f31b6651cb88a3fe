//! TLS on the serving port, for HTTP/2 and HTTP/1.1. (tonic's own TLS offers only HTTP/2.)

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::watch;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

use crate::{
    config::TlsFiles,
    reload::{self, Contents},
};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has no such item.
    #[error("cannot read {what} from {path}: {reason}")]
    File {
        /// What the file should contain: a certificate or a key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The reader's message.
        reason: String,
    },
    /// Certificate and key do not match, or cannot be used.
    #[error("the certificate in {path} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The TLS library's message.
        reason: String,
    },
}

/// The current certificate. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

/// ALPN protocols, most preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

impl TlsFiles {
    /// Reads the files, and reads them again whenever they change; `None` if no certificate is configured.
    ///
    /// # Errors
    /// If the files cannot be used now. Later, the certificate in use stays until they can.
    pub(crate) fn watch(&self) -> Result<Option<Tls>, TlsError> {
        let (Some(cert), Some(key)) = (self.tls_cert.clone(), self.tls_key.clone()) else {
            return Ok(None);
        };
        let client_ca = self.client_ca.clone();
        let files = [&self.tls_cert, &self.tls_key, &self.client_ca];
        let files = files.into_iter().flatten().cloned().collect();
        let parse = move |contents: &Contents| {
            server_config(contents, &cert, &key, client_ca.as_deref()).map(Arc::new)
        };
        let tls = reload::watch("certificates", files, parse)?;
        Ok(Some(Tls(tls)))
    }
}

impl Tls {
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.borrow()))
    }
}

fn server_config(
    contents: &Contents,
    cert: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<ServerConfig, TlsError> {
    let certificates = certificates(contents, cert)?;
    let private_key = private_key(contents, key)?;
    let builder = ServerConfig::builder();
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(self::certificates(contents, path)?);
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(path, &error))?)
        }
    };
    let mut config = builder
        .with_single_cert(certificates, private_key)
        .map_err(|error| unusable(cert, &error))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn private_key(contents: &Contents, path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = unreadable("a private key", path);
    let pem = contents
        .of(path)
        .map_err(|error| failed(error.to_string()))?;
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| failed(error.to_string()))
}

fn certificates(
    contents: &Contents,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = unreadable("certificates", path);
    let pem = contents
        .of(path)
        .map_err(|error| failed(error.to_string()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("there is none in it".to_owned()));
    }
    Ok(certificates)
}

fn unreadable(what: &'static str, path: &Path) -> impl Fn(String) -> TlsError {
    move |reason| TlsError::File {
        what,
        path: path.to_owned(),
        reason,
    }
}

fn unusable(path: &Path, reason: &dyn std::error::Error) -> TlsError {
    TlsError::Unusable {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}
