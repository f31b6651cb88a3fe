use std::path::PathBuf;

use clap::Args;

/// The files for TLS.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsFiles {
    /// PEM file with the certificate chain. A changed file is loaded within seconds
    #[arg(
        long,
        env = "IMAGECLASSIFIER_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,

    /// PEM file with the certificate's private key
    #[arg(
        long,
        env = "IMAGECLASSIFIER_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,

    /// Accept only clients with a certificate from these authorities, a PEM file
    #[arg(
        long,
        env = "IMAGECLASSIFIER_CLIENT_CA",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub client_ca: Option<PathBuf>,
}
