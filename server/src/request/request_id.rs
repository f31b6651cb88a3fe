use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Long enough for a UUID or a trace id, too short to flood a log.
const LENGTH_MAX: usize = 64;

/// Names one call in log, answer and response header.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Carries the id of a call in both directions.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// The caller's own id if it is a plain short word, else a new one.
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
