use std::path::PathBuf;

use clap::Args;

/// Where the certificate is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsFiles {
    /// Serve TLS with this certificate chain, a PEM file. A changed file is taken up within seconds
    #[arg(
        long,
        env = "IMAGECLASSIFIER_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key, a PEM file
    #[arg(
        long,
        env = "IMAGECLASSIFIER_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,

    /// Take only callers with a certificate of one of these authorities, a PEM file
    #[arg(
        long,
        env = "IMAGECLASSIFIER_CLIENT_CA",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub client_ca: Option<PathBuf>,
}
