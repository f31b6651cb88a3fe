use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Long enough for a UUID or a trace id, too short to flood a log.
const LENGTH_MAX: usize = 64;

/// Identifies one request in the log, the answer and the response header.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The header that carries a request's id in both directions.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// The client's own id if it is short and plain, otherwise a new one.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let own = headers.get(Self::HEADER).filter(|id| {
            let plain = |&b: &u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            (1..=LENGTH_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain)
        });
        Self(own.cloned().unwrap_or_else(|| {
            let id = Uuid::new_v4().to_string();
            HeaderValue::from_str(&id).expect("a UUID is ASCII")
        }))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("letters, digits, '-' and '_' only")
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}
