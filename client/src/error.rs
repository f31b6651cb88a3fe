use std::{collections::HashMap, time::Duration};

use imageclassifier_proto::{ERROR_DOMAIN, ErrorReason};
use prost::Message;
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::{StatusExt, pb};

use crate::transport::{ChannelError, is_unreachable};

/// A request that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    kind: ErrorKind,
    message: String,
    reason: ErrorReason,
    metadata: HashMap<String, String>,
    retry_after: Option<Duration>,
}

/// What the caller can do about a [`CallError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Change what was sent: the server does not accept it.
    InvalidInput,
    /// Send an access token that the server accepts.
    Unauthenticated,
    /// Try again later: the server is busy, starting, stopping or unreachable, or the client sends too many requests.
    Unavailable,
    /// Allow more time: the deadline passed.
    DeadlineExceeded,
    /// The request was cancelled.
    Cancelled,
    /// The server does not support this.
    Unsupported,
    /// The server failed; its log says more under the request id.
    Internal,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Unavailable | Self::DeadlineExceeded => true,
            Self::InvalidInput
            | Self::Unauthenticated
            | Self::Cancelled
            | Self::Unsupported
            | Self::Internal => false,
        }
    }
}

impl CallError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The server's reason; unspecified if the request failed before it reached the service.
    #[must_use]
    pub fn reason(&self) -> ErrorReason {
        self.reason
    }

    /// A detail that goes with the reason, for example `bytes_max`.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// How long the server asks clients to wait before a retry.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// An error that did not come from a server, for programs that classify without one.
    #[must_use]
    pub fn new(kind: ErrorKind, reason: ErrorReason, message: String) -> Self {
        Self {
            kind,
            message,
            reason,
            metadata: HashMap::new(),
            retry_after: None,
        }
    }

    /// As the server reports it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn out_of_time() -> Self {
        Self::new(
            ErrorKind::DeadlineExceeded,
            ErrorReason::DeadlineExceeded,
            OUT_OF_TIME.to_owned(),
        )
    }

    /// No channel to the server at `url` can be made.
    pub(crate) fn channel(url: &str, error: ChannelError) -> Self {
        Self::invalid(match error {
            ChannelError::Url(why) => format!(
                "cannot use {url:?} as the server's URL ({why}): write it like http://localhost:50051"
            ),
            ChannelError::CaCertificates(why) => {
                format!("cannot use these CA certificates ({why}): give certificates in PEM")
            }
        })
    }

    /// Does not show the token: it may be a real one with a typing error.
    pub(crate) fn bad_token() -> Self {
        Self::invalid(
            "cannot use this as an access token: it must be visible ASCII characters without spaces"
                .to_owned(),
        )
    }

    /// A request that cannot be sent.
    fn invalid(message: String) -> Self {
        Self::new(ErrorKind::InvalidInput, ErrorReason::Unspecified, message)
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let info = status
            .get_details_error_info()
            .filter(|info| info.domain == ERROR_DOMAIN);
        Self {
            kind: kind(&status),
            message: message(&status),
            reason: info
                .as_ref()
                .and_then(|info| ErrorReason::from_str_name(&info.reason))
                .unwrap_or(ErrorReason::Unspecified),
            metadata: info.map(|info| info.metadata).unwrap_or_default(),
            retry_after: status
                .get_details_retry_info()
                .and_then(|retry| retry.retry_delay),
        }
    }
}

/// The error of one message of a stream or a batch.
impl From<pb::Status> for CallError {
    fn from(status: pb::Status) -> Self {
        let details = status.encode_to_vec().into();
        let code = Code::from_i32(status.code);
        Self::from(Status::with_details(code, status.message, details))
    }
}

/// The server's message for a deadline that passed.
const OUT_OF_TIME: &str =
    "the deadline passed before there was a response: allow more time, or try again later";

/// The message, with the causes of a transport failure from its chain of sources.
fn message(status: &Status) -> String {
    if is_out_of_time(status) {
        return OUT_OF_TIME.to_owned();
    }
    let mut message = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let cause = error.to_string();
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
        source = error.source();
    }
    message
}

/// Whether tonic cancelled the call after its timeout, which it reports as CANCELLED.
fn is_out_of_time(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn kind(status: &Status) -> ErrorKind {
    if is_out_of_time(status) {
        return ErrorKind::DeadlineExceeded;
    }
    if is_unreachable(status) {
        return ErrorKind::Unavailable;
    }
    match status.code() {
        Code::InvalidArgument | Code::NotFound | Code::OutOfRange | Code::FailedPrecondition => {
            ErrorKind::InvalidInput
        }
        Code::Unauthenticated | Code::PermissionDenied => ErrorKind::Unauthenticated,
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted => ErrorKind::Unavailable,
        Code::DeadlineExceeded => ErrorKind::DeadlineExceeded,
        Code::Cancelled => ErrorKind::Cancelled,
        Code::Unimplemented => ErrorKind::Unsupported,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss | Code::AlreadyExists => {
            ErrorKind::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn keeps_reason_details_and_retry_hint() {
        let mut details = ErrorDetails::new();
        let metadata = HashMap::from([("bytes_max".to_owned(), "10".to_owned())]);
        details.set_error_info("IMAGE_TOO_LARGE", ERROR_DOMAIN, metadata);
        details.set_retry_info(Some(Duration::from_secs(2)));
        let status = Status::with_error_details(Code::InvalidArgument, "too large", details);
        let error = CallError::from(status);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.reason(), ErrorReason::ImageTooLarge);
        assert_eq!(error.detail("bytes_max"), Some("10"));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(error.to_string(), "too large");
    }

    #[test]
    fn maps_each_reason_of_the_contract_to_a_kind() {
        use ErrorKind::{
            DeadlineExceeded, Internal, InvalidInput, Unauthenticated, Unavailable, Unsupported,
        };
        // The codes that server/src/request/error/codes.rs gives to the reasons.
        let cases = [
            (Code::InvalidArgument, "IMAGE_EMPTY", InvalidInput),
            (Code::NotFound, "MODEL_UNKNOWN", InvalidInput),
            (Code::Unimplemented, "EXPLAIN_UNSUPPORTED", Unsupported),
            (Code::ResourceExhausted, "OVERLOADED", Unavailable),
            (Code::Unavailable, "NOT_READY", Unavailable),
            (Code::Internal, "INTERNAL_ERROR", Internal),
            (
                Code::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
                DeadlineExceeded,
            ),
            (Code::InvalidArgument, "TIMEOUT_MALFORMED", InvalidInput),
            (Code::Unauthenticated, "UNAUTHENTICATED", Unauthenticated),
            (Code::ResourceExhausted, "RATE_LIMITED", Unavailable),
        ];
        for (code, reason, kind) in cases {
            let details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
            let error = CallError::from(Status::with_error_details(code, "", details));
            assert_eq!(error.reason().as_str_name(), reason);
            assert_eq!(error.kind(), kind, "{reason}");
        }
    }

    #[test]
    fn keeps_the_details_of_one_messages_error() {
        let mut details = ErrorDetails::with_retry_info(Some(Duration::from_millis(250)));
        details.set_error_info("OVERLOADED", ERROR_DOMAIN, HashMap::new());
        let status = Status::with_error_details(Code::ResourceExhausted, "busy", details);
        let message = pb::Status::decode(status.details()).unwrap();
        let error = CallError::from(message);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.reason(), ErrorReason::Overloaded);
        assert_eq!(error.retry_after(), Some(Duration::from_millis(250)));
        assert_eq!(error.to_string(), "busy");
    }

    #[test]
    fn ignores_reasons_of_other_services() {
        let mut details = ErrorDetails::new();
        details.set_error_info("IMAGE_TOO_LARGE", "elsewhere", HashMap::new());
        let status = Status::with_error_details(Code::InvalidArgument, "", details);
        assert_eq!(CallError::from(status).reason(), ErrorReason::Unspecified);
    }

    #[test]
    fn only_temporary_errors_are_retryable() {
        for code in (0..=16).map(Code::from) {
            let expected = matches!(
                code,
                Code::Unavailable
                    | Code::ResourceExhausted
                    | Code::Aborted
                    | Code::DeadlineExceeded
            );
            let kind = kind(&Status::new(code, ""));
            assert_eq!(kind.is_retryable(), expected, "{code:?}");
        }
    }
}
