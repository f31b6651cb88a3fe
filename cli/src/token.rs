use std::{fs, io, path::Path};

use imageclassifier_client::{CallError, Classifier};

/// Why a file gives no access token.
#[derive(Debug)]
pub(crate) enum TokenError<'a> {
    Unreadable(&'a Path, io::Error),
    Empty(&'a Path),
    Unusable(&'a Path, CallError),
}

/// Has `classifier` present the access token in the first line of `file`.
pub(crate) fn present(classifier: Classifier, file: &Path) -> Result<Classifier, TokenError<'_>> {
    let text = fs::read_to_string(file).map_err(|error| TokenError::Unreadable(file, error))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(TokenError::Empty(file));
    }
    let presenting = classifier.with_token(token);
    presenting.map_err(|error| TokenError::Unusable(file, error))
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
                "there is no access token in {}: write it into the first line",
                file.display()
            ),
            Self::Unusable(file, error) => write!(f, "{}: {error}", file.display()),
        }
    }
}

impl std::error::Error for TokenError<'_> {}
