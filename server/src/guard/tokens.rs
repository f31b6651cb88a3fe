//! Authentication with access tokens, of which the server knows only digests.

use std::{io, path::Path, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Extensions, header};
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
    caller: Caller,
    sha256: [u8; 32],
}

/// Who sent a request, by its access token, as an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    name: Arc<str>,
    may_publish: bool,
}

/// What a line ends with if its token may change models.
const PUBLISH: &str = "publish";

/// Without access tokens nobody may.
///
/// # Errors
/// [`RequestError::PermissionDenied`] unless the request's token may change models.
pub(crate) fn check_may_publish(extensions: &Extensions) -> Result<(), RequestError> {
    match extensions.get() {
        Some(Caller {
            may_publish: true, ..
        }) => Ok(()),
        _ => Err(RequestError::PermissionDenied),
    }
}

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

    /// Whose token is in `authorization`. Every digest is compared, each in constant time.
    fn caller(&self, authorization: &str) -> Option<Caller> {
        let (scheme, token) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let sha256: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
        let mut caller = None;
        for token in self.0.borrow().iter() {
            if token.sha256.ct_eq(&sha256).into() {
                caller = Some(token.caller.clone());
            }
        }
        caller
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
    match authorization.and_then(|value| tokens.caller(value)) {
        Some(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => reporter.reject(&head, &RequestError::Unauthenticated),
    }
}

/// Parses one token per line: its name, its SHA-256 digest in hexadecimal, and `publish` if it may change models. Empty lines and lines that begin with # are
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
                "line {} is not a name and 64 hexadecimal digits, as `printf %s TOKEN | sha256sum` prints them, perhaps followed by publish",
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
    let mut words = line.split_whitespace();
    let (name, digest, permission) = (words.next()?, words.next()?, words.next());
    let may_publish = match permission {
        None => false,
        Some(PUBLISH) => true,
        Some(_) => return None,
    };
    let mut sha256 = [0; 32];
    hex::decode_to_slice(digest, &mut sha256).ok()?;
    words.next().is_none().then(|| Token {
        caller: Caller {
            name: name.into(),
            may_publish,
        },
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
        let name = |tokens: &Tokens, authorization| {
            let caller = tokens.caller(authorization)?;
            Some((caller.name.to_string(), caller.may_publish))
        };
        for (line, may_publish) in [
            (format!("page {DIGEST}"), false),
            (format!("page\t{DIGEST}  publish "), true),
        ] {
            fs::write(&file, format!("# callers\n\n{line}\n")).unwrap();
            let tokens = Tokens::watch(&file).unwrap();
            let expected = Some(("page".to_owned(), may_publish));
            assert_eq!(name(&tokens, "Bearer secret"), expected);
            assert_eq!(name(&tokens, "bearer  secret"), expected);
        }
        let tokens = Tokens::watch(&file).unwrap();
        for unknown in ["Bearer Secret", "Basic secret", "secret", "Bearer ", ""] {
            assert_eq!(tokens.caller(unknown), None, "{unknown:?}");
        }
        for useless in [
            "",
            "# none",
            "page",
            "page 12",
            &format!("page {DIGEST}0"),
            &format!("page {DIGEST} publishes"),
            &format!("page {DIGEST} publish publish"),
            &format!("page +{}", &DIGEST[1..]),
            &format!("page é{}", &DIGEST[2..]),
        ] {
            fs::write(&file, useless).unwrap();
            assert!(Tokens::watch(&file).is_err(), "{useless:?}");
        }
    }
}
