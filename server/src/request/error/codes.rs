//! Status codes and reasons. The only place that chooses them.

use http::StatusCode;
use imageclassifier_model::InvalidImage;
use imageclassifier_proto::ErrorReason;
use tonic::Code;

use super::RequestError;

impl RequestError {
    pub(crate) fn code(&self) -> Code {
        self.code_and_reason().0
    }

    /// The reason for its ErrorInfo.
    pub(crate) fn reason(&self) -> ErrorReason {
        self.code_and_reason().1
    }

    /// The status code in plain HTTP.
    pub(crate) fn http_status(&self) -> StatusCode {
        match self {
            Self::MetadataTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::MessageCompressed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => http_status(self.code(), self.reason()),
        }
    }

    fn code_and_reason(&self) -> (Code, ErrorReason) {
        match self {
            Self::InvalidImage(error) => (
                Code::InvalidArgument,
                match **error {
                    InvalidImage::Empty => ErrorReason::ImageEmpty,
                    InvalidImage::TooLarge { .. } => ErrorReason::ImageTooLarge,
                    InvalidImage::UnknownFormat | InvalidImage::ForeignFormat(_) => {
                        ErrorReason::ImageFormatUnknown
                    }
                    InvalidImage::Dimensions { .. } => ErrorReason::ImageDimensions,
                    InvalidImage::Truncated { .. }
                    | InvalidImage::Undecodable(_)
                    | InvalidImage::Jpeg(_) => ErrorReason::ImageUndecodable,
                },
            ),
            Self::MessageTooLarge { .. } => (Code::InvalidArgument, ErrorReason::ImageTooLarge),
            Self::MessageMalformed | Self::JsonMalformed { .. } | Self::MetadataTooLarge { .. } => {
                (Code::InvalidArgument, ErrorReason::MessageMalformed)
            }
            Self::MessageCompressed => (Code::Unimplemented, ErrorReason::MessageCompressed),
            Self::UnknownMethod { .. } => (Code::Unimplemented, ErrorReason::MethodUnknown),
            Self::TopK { .. } => (Code::InvalidArgument, ErrorReason::TopKOutOfRange),
            Self::UnknownModel { .. } => (Code::NotFound, ErrorReason::ModelUnknown),
            Self::TensorMalformed { .. } => (Code::InvalidArgument, ErrorReason::TensorMalformed),
            Self::ParameterMalformed { .. }
            | Self::ParameterUnknown { .. }
            | Self::FormMalformed => (Code::InvalidArgument, ErrorReason::MessageMalformed),
            Self::NotSentAsImage { .. } => (Code::InvalidArgument, ErrorReason::ImageFormatUnknown),
            Self::BatchSize { .. } => (Code::InvalidArgument, ErrorReason::BatchSize),
            Self::IdTooLong { .. } => (Code::InvalidArgument, ErrorReason::IdTooLong),
            Self::Overloaded { .. } | Self::TooManyWatches { .. } => {
                (Code::ResourceExhausted, ErrorReason::Overloaded)
            }
            Self::RateLimited { .. } => (Code::ResourceExhausted, ErrorReason::RateLimited),
            Self::Unauthenticated => (Code::Unauthenticated, ErrorReason::Unauthenticated),
            Self::PermissionDenied => (Code::PermissionDenied, ErrorReason::PermissionDenied),
            Self::NotEnabled { .. } => (Code::Unimplemented, ErrorReason::NotEnabled),
            Self::ModelUnusable { .. } => (Code::InvalidArgument, ErrorReason::ModelUnusable),
            Self::ExplainUnsupported { .. } => {
                (Code::Unimplemented, ErrorReason::ExplainUnsupported)
            }
            Self::LabelMalformed { .. } => (Code::InvalidArgument, ErrorReason::LabelMalformed),
            Self::FeedbackFull => (Code::FailedPrecondition, ErrorReason::FeedbackFull),
            Self::DeadlineExceeded
            | Self::UploadTooSlow { .. }
            | Self::StreamIdle { .. }
            | Self::StreamTooOld { .. } => (Code::DeadlineExceeded, ErrorReason::DeadlineExceeded),
            Self::TimeoutMalformed { .. } => (Code::InvalidArgument, ErrorReason::TimeoutMalformed),
            Self::ClientLeft => (Code::Cancelled, ErrorReason::MessageMalformed),
            Self::NotReady => (Code::Unavailable, ErrorReason::NotReady),
            Self::Internal(_) => (Code::Internal, ErrorReason::InternalError),
        }
    }
}

/// The plain HTTP status code for this code and reason.
fn http_status(code: Code, reason: ErrorReason) -> StatusCode {
    match (code, reason) {
        (_, ErrorReason::ImageTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        (_, ErrorReason::ImageFormatUnknown) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        // The server's fault, not the client's.
        (_, ErrorReason::Overloaded) => StatusCode::SERVICE_UNAVAILABLE,
        (Code::Ok, _) => StatusCode::OK,
        (Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange, _) => {
            StatusCode::BAD_REQUEST
        }
        (Code::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Code::PermissionDenied, _) => StatusCode::FORBIDDEN,
        (Code::NotFound | Code::Unimplemented, _) => StatusCode::NOT_FOUND,
        (Code::AlreadyExists | Code::Aborted, _) => StatusCode::CONFLICT,
        (Code::ResourceExhausted, _) => StatusCode::TOO_MANY_REQUESTS,
        (Code::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Code::DeadlineExceeded, _) => StatusCode::GATEWAY_TIMEOUT,
        // A client that sends less than it has announced may still listen.
        (Code::Cancelled, _) => StatusCode::BAD_REQUEST,
        (Code::Unknown | Code::Internal | Code::DataLoss, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Every reason, for metrics.
pub(crate) fn reasons() -> impl Iterator<Item = &'static str> {
    (1..)
        .map_while(|number| ErrorReason::try_from(number).ok())
        .map(|reason| reason.as_str_name())
}

/// A code as the gRPC specification spells it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
