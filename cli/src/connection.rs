use std::{error::Error, fs, path::Path};

use imageclassifier_client::{CallError, Classifier, ErrorKind, ErrorReason};

use crate::{args, token};

/// A client of the server that the options name.
pub(crate) fn classifier(args: &args::Connection) -> Result<Classifier, Box<dyn Error + '_>> {
    let classifier = match &args.tls_ca {
        Some(file) => trusting(&args.server, file)?,
        None => Classifier::new(&args.server)?,
    };
    let classifier = classifier.with_timeout(args.timeout);
    match &args.token_file {
        Some(file) => Ok(token::present(classifier, file)?),
        None => Ok(classifier),
    }
}

fn trusting(server: &str, file: &Path) -> Result<Classifier, String> {
    let name = file.display();
    let authorities = fs::read(file)
        .map_err(|error| format!("cannot read certificate authorities from {name}: {error}"))?;
    Classifier::trusting(server, &authorities).map_err(|error| format!("{name}: {error}"))
}

/// Why asking `server` for more is no use, and what may help; nothing if the error is about one picture alone.
pub(crate) fn ends_everything(error: &CallError, server: &str) -> Option<String> {
    match (error.kind(), error.reason()) {
        (ErrorKind::Unavailable, ErrorReason::Unspecified) => Some(format!(
            "cannot reach {server}: {error}. Is the server running? --server names another one"
        )),
        (ErrorKind::Unauthenticated, _) => Some(format!(
            "{server} does not let us in: {error}. --token-file names a file with an access token"
        )),
        _ => None,
    }
}

/// Why nothing can be asked of `server`, after its first answer was `error`.
pub(crate) fn refusal(error: &CallError, server: &str) -> String {
    ends_everything(error, server).unwrap_or_else(|| format!("{server}: {error}"))
}
