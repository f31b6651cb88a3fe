use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue};
use uuid::Uuid;

/// Carries the id of a call in both directions.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Long enough for a UUID or a trace id, too short to flood a log.
const LENGTH_MAX: usize = 64;

/// Names one call in log, answer and response header.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's own id if it is a plain short word, else a new one.
    fn of(request: &Request) -> Self {
        let own = request.headers().get(HEADER).filter(|id| {
            id.len() <= LENGTH_MAX
                && !id.is_empty()
                && id
                    .as_bytes()
                    .iter()
                    .all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
        Self(own.cloned().unwrap_or_else(|| {
            let id = Uuid::new_v4().to_string();
            HeaderValue::from_str(&id).expect("a UUID is ASCII")
        }))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("letters, digits, '-' and '_' only")
    }
}

/// Gives each request an id, as an extension for the handler and as a header for the caller.
pub(crate) async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEADER, id.0);
    response
}
