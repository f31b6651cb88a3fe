//! TLS on the serving port, for HTTP/2 and HTTP/1.1 alike. (tonic's own offers only HTTP/2.)

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, time::sleep};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

use crate::config::TlsFiles;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("cannot read {what} from {path}: {reason}")]
    File {
        /// A certificate, a key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// As the reader says it.
        reason: String,
    },
    /// Certificate and key do not fit together, or cannot be used.
    #[error("the certificate in {path} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// As the TLS library says it.
        reason: String,
    },
}

/// The current certificate. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// What is offered, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

impl TlsFiles {
    /// Reads the files, and reads them again whenever they change; nothing where no certificate is configured.
    ///
    /// # Errors
    /// If the files cannot be used now. Later, the certificate in use stays until they can.
    pub(crate) fn watch(&self) -> Result<Option<Tls>, TlsError> {
        let (Some(cert), Some(key)) = (self.tls_cert.clone(), self.tls_key.clone()) else {
            return Ok(None);
        };
        let client_ca = self.client_ca.clone();
        let load = move || server_config(&cert, &key, client_ca.as_deref()).map(Arc::new);
        let files: Vec<_> = [&self.tls_cert, &self.tls_key, &self.client_ca]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let (current, tls) = watch::channel(load()?);
        tokio::spawn(async move {
            let mut seen = modified_at(&files);
            while !current.is_closed() {
                sleep(LOOK_INTERVAL).await;
                let now = modified_at(&files);
                if now == seen {
                    continue;
                }
                seen = now;
                match load() {
                    Ok(config) => {
                        tracing::info!("certificate reloaded");
                        current.send_replace(config);
                    }
                    Err(error) => tracing::warn!("the old certificate stays in use: {error}"),
                }
            }
        });
        Ok(Some(Tls(tls)))
    }
}

impl Tls {
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.borrow()))
    }
}

/// When each file was last changed; nothing for one that is not there at the moment.
pub(crate) fn modified_at(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    let modified = |file: &PathBuf| fs::metadata(file).and_then(|metadata| metadata.modified());
    files.iter().map(|file| modified(file).ok()).collect()
}

fn server_config(
    cert: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<ServerConfig, TlsError> {
    let certificates = certificates(cert)?;
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::File {
        what: "a private key",
        path: key.to_owned(),
        reason: error.to_string(),
    })?;
    let builder = ServerConfig::builder();
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(self::certificates(path)?);
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

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |reason| TlsError::File {
        what: "certificates",
        path: path.to_owned(),
        reason,
    };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("there is none in it".to_owned()));
    }
    Ok(certificates)
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
