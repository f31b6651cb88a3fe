//! Authentication with access tokens, of which the server knows only digests.

use std::{io, path::Path, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::header;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::{
    observe::error_reporter::ErrorReporter,
    reload::{self, Contents},
    request::{error::RequestError, head::RequestHead},
};

/// The digests of all tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tokens(watch::Receiver<Arc<[Token]>>);

struct Token {
    name: Arc<str>,
    sha256: [u8; 32],
}

/// The name of a request's access token, as an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller(pub(crate) Arc<str>);

impl Tokens {
    /// Reads `file`, and reads it again whenever it changes.
    ///
    /// # Errors
    /// If the file cannot be used now. Later, the tokens in use stay until it can.
    pub(crate) fn watch(file: &Path) -> io::Result<Self> {
        let path = file.to_owned();
        let parse = move |contents: &Contents| parse(&path, contents);
        reload::watch("access tokens", vec![file.to_owned()], parse).map(Self)
    }

    /// The name of the token in `authorization`. Every digest is compared, each in constant time.
    fn name(&self, authorization: &str) -> Option<Arc<str>> {
        let (scheme, token) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let sha256: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
        let mut name = None;
        for token in self.0.borrow().iter() {
            if token.sha256.ct_eq(&sha256).into() {
                name = Some(Arc::clone(&token.name));
            }
        }
        name
    }
}

/// Rejects requests without a known token. Health checks need none: probes have no token.
pub(crate) async fn require(
    State((tokens, reporter)): State<(Tokens, ErrorReporter)>,
    mut request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    if head.method.probes() {
        return next.run(request).await;
    }
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    match authorization.and_then(|value| tokens.name(value)) {
        Some(name) => {
            request.extensions_mut().insert(Caller(name));
            next.run(request).await
        }
        None => reporter.reject(&head, &RequestError::Unauthenticated),
    }
}

/// Parses one token per line: its name, and its SHA-256 digest in hexadecimal. Empty lines and lines that begin with # are
/// ignored.
fn parse(file: &Path, contents: &Contents) -> io::Result<Arc<[Token]>> {
    let failed = |reason: String| {
        io::Error::other(format!(
            "cannot read access tokens from {}: {reason}",
            file.display()
        ))
    };
    let bytes = contents
        .of(file)
        .map_err(|error| failed(error.to_string()))?;
    let text = str::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
    let mut tokens = Vec::new();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let token = parse_line(line).ok_or_else(|| {
            failed(format!(
                "line {} is not a name and 64 hexadecimal digits, as `printf %s TOKEN | sha256sum` prints them",
                index + 1
            ))
        })?;
        tokens.push(token);
    }
    if tokens.is_empty() {
        return Err(failed(
            "it has no token, so every request would be rejected".to_owned(),
        ));
    }
    Ok(tokens.into())
}

fn parse_line(line: &str) -> Option<Token> {
    let (name, digest) = line.split_once(char::is_whitespace)?;
    let mut sha256 = [0; 32];
    hex::decode_to_slice(digest.trim(), &mut sha256).ok()?;
    Some(Token {
        name: name.into(),
        sha256,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// SHA-256 of "secret", by coreutils.
    const DIGEST: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[tokio::test]
    async fn a_token_is_known_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        fs::write(&file, format!("# callers\n\npage {DIGEST}\n")).unwrap();
        let tokens = Tokens::watch(&file).unwrap();
        assert_eq!(tokens.name("Bearer secret").as_deref(), Some("page"));
        assert_eq!(tokens.name("bearer  secret").as_deref(), Some("page"));
        for unknown in ["Bearer Secret", "Basic secret", "secret", "Bearer ", ""] {
            assert_eq!(tokens.name(unknown), None, "{unknown:?}");
        }
        for useless in [
            "",
            "# none",
            "page",
            "page 12",
            &format!("page {DIGEST}0"),
            &format!("page +{}", &DIGEST[1..]),
            &format!("page é{}", &DIGEST[2..]),
        ] {
            fs::write(&file, useless).unwrap();
            assert!(Tokens::watch(&file).is_err(), "{useless:?}");
        }
    }
}
