use std::{fs, io, path::Path};

use imageclassifier_client::{CallError, Classifier};

/// Why a file contains no usable access token.
#[derive(Debug)]
pub(crate) enum TokenError<'a> {
    Unreadable(&'a Path, io::Error),
    Empty(&'a Path),
    Unusable(&'a Path, CallError),
}

/// The client, sending the access token in the first line of `file`.
pub(crate) fn with_token_file(
    classifier: Classifier,
    file: &Path,
) -> Result<Classifier, TokenError<'_>> {
    let text = fs::read_to_string(file).map_err(|error| TokenError::Unreadable(file, error))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(TokenError::Empty(file));
    }
    let with_token = classifier.with_token(token);
    with_token.map_err(|error| TokenError::Unusable(file, error))
}

impl std::fmt::Display for TokenError<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(file, error) => {
                let file = file.display();
                write!(f, "cannot read an access token from {file}: {error}")
            }
            Self::Empty(file) => write!(
                f,
                "{} contains no access token: write it on the first line",
                file.display()
            ),
            Self::Unusable(file, error) => write!(f, "{}: {error}", file.display()),
        }
    }
}

impl std::error::Error for TokenError<'_> {}
