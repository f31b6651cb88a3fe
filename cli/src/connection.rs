use std::{error::Error, fs, path::Path};

use imageclassifier_client::{CallError, Classifier, ErrorKind, ErrorReason};

use crate::{args, token};

/// Retries of what a server rejects temporarily.
pub(crate) const RETRIES: u32 = 8;

/// A client of the server that the options name.
pub(crate) fn classifier(args: &args::Connection) -> Result<Classifier, Box<dyn Error + '_>> {
    let classifier = match &args.tls_ca {
        Some(file) => with_ca_certificates(&args.servers(), file)?,
        None => Classifier::new(&args.servers())?,
    };
    // An unreachable server is reported at once.
    let classifier = classifier.with_timeout(args.timeout).with_retries(0);
    match &args.token_file {
        Some(file) => Ok(token::with_token_file(classifier, file)?),
        None => Ok(classifier),
    }
}

fn with_ca_certificates(servers: &str, file: &Path) -> Result<Classifier, String> {
    let name = file.display();
    let certificates = fs::read(file)
        .map_err(|error| format!("cannot read CA certificates from {name}: {error}"))?;
    Classifier::with_ca_certificates(servers, &certificates)
        .map_err(|error| format!("{name}: {error}"))
}

/// Length of the largest file that `model` of the server accepts; an empty name means its default model.
pub(crate) async fn image_bytes_max(
    classifier: &Classifier,
    model: &str,
) -> Result<u64, CallError> {
    let described = classifier.model(model).await?;
    let limits = described.limits;
    Ok(limits.map_or(u64::MAX, |limits| limits.image_bytes_max))
}

/// The message for an error that every further request to `server` would get too; `None` if it concerns one image alone.
pub(crate) fn fatal_message(error: &CallError, server: &str) -> Option<String> {
    match (error.kind(), error.reason()) {
        (ErrorKind::Unavailable, ErrorReason::Unspecified) => Some(format!(
            "cannot reach {server}: {error}. Start the server, or give its URL with --server"
        )),
        (ErrorKind::Unauthenticated, _) => Some(format!(
            "{server} denied access: {error}. Give a file with an access token with --token-file"
        )),
        _ => None,
    }
}

/// The message for an error of the first request to `server`.
pub(crate) fn first_error_message(error: &CallError, server: &str) -> String {
    fatal_message(error, server).unwrap_or_else(|| format!("{server}: {error}"))
}
