//! What went wrong, in the client's terms. The only place that chooses status codes.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use http::StatusCode;
use imageclassifier_model::{InvalidImage, NetworkError};
use imageclassifier_proto::{ERROR_DOMAIN, ErrorReason};
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::{BadRequest, ErrorDetails, ErrorInfo, RetryInfo, pb};

use crate::request::encoding;

/// Why a request fails.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error(transparent)]
    InvalidImage(Arc<InvalidImage>),
    #[error(
        "the message is longer than an image may be, {bytes_max} bytes: send a smaller or more compressed one"
    )]
    MessageTooLarge { bytes_max: u64 },
    #[error("the metadata is {bytes} bytes long, the limit is {bytes_max}: send less of it")]
    MetadataTooLarge { bytes: usize, bytes_max: usize },
    #[error(
        "the message cannot be read: send the one that the method takes, framed and compressed as the headers say"
    )]
    MessageMalformed,
    #[error(
        "the message is compressed in a way that the server does not know: use gzip or zstd, or send it as it is"
    )]
    MessageCompressed,
    /// The end of the message, which says what is available.
    #[error("there is nothing of that name to call here: {help}")]
    UnknownMethod { help: &'static str },
    #[error("top_k is {top_k}, there are {top_k_max} classes: ask for fewer")]
    TopK { top_k: u32, top_k_max: usize },
    #[error(
        "there is no model {:?} here: ask for one of {available:?}",
        excerpt(model)
    )]
    UnknownModel { model: String, available: String },
    /// The field of the request, and a sentence that ends with what to do.
    #[error("{problem}")]
    TensorMalformed {
        field: &'static str,
        problem: String,
    },
    #[error("{name} is {:?} in the query: {help}", excerpt(value))]
    ParameterMalformed {
        name: &'static str,
        value: String,
        help: &'static str,
    },
    #[error(
        "the query has {:?}: there are top_k, model and explain",
        excerpt(name)
    )]
    ParameterUnknown { name: String },
    #[error("there is no file in the form: send one, or the image itself as the body")]
    FormMalformed,
    #[error(
        "content-type or content-encoding says that the body is {:?}: send the image itself or a file of multipart/form-data, compressed with gzip or zstd if at all",
        excerpt(sent)
    )]
    NotSentAsImage { sent: String },
    #[error("the batch has {images} images: send 1 to {images_max}")]
    BatchSize { images: ImageCount, images_max: u32 },
    #[error("the id is {bytes} bytes long, the limit is {bytes_max}: send a shorter one")]
    IdTooLong { bytes: usize, bytes_max: usize },
    #[error("too many calls at once: try again after the delay in RetryInfo")]
    Overloaded { retry_delay: Duration },
    #[error(
        "too many health watches and reflection streams are open: close one, or call Check, and try again after the delay in RetryInfo"
    )]
    TooManyWatches { retry_delay: Duration },
    #[error("this caller calls too often: try again after the delay in RetryInfo")]
    RateLimited { retry_delay: Duration },
    #[error("the call carries no valid access token: send \"authorization: Bearer TOKEN\"")]
    Unauthenticated,
    #[error("the server is starting or stopping: try another one, or again in a moment")]
    NotReady,
    #[error("the deadline passed before there was an answer: allow more time, or try again later")]
    DeadlineExceeded,
    #[error(
        "the message did not arrive within {} s: send a smaller one or use a faster connection",
        timeout.as_secs_f64()
    )]
    UploadTooSlow { timeout: Duration },
    #[error(
        "nothing came on the stream for {} s: open another when there is more to send",
        timeout.as_secs_f64()
    )]
    StreamIdle { timeout: Duration },
    #[error("the stream was open for {} s, the longest that is allowed: open another", age_max.as_secs_f64())]
    StreamTooOld { age_max: Duration },
    #[error(
        "grpc-timeout is {value:?}: write 1 to 8 digits and a unit out of H, M, S, m, u, n, as in 500m"
    )]
    TimeoutMalformed { value: String },
    /// The source is only for the log.
    #[error(
        "the server failed on this call, not through your fault: quote the request id when you report it"
    )]
    Internal(#[source] InternalError),
}

/// How many images a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageCount {
    Exactly(usize),
    /// The batch was rejected before its end.
    AtLeast(usize),
}

/// A fault of the server.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum InternalError {
    #[error("decoding panicked")]
    DecodePanicked,
    #[error("inference panicked")]
    InferencePanicked,
    #[error("ranking the classes or drawing heatmaps panicked")]
    RankingPanicked,
    #[error("a handler panicked")]
    HandlerPanicked,
    #[error("inference failed")]
    Network(#[source] Arc<NetworkError>),
}

impl ImageCount {
    /// The images that were counted.
    fn counted(self) -> usize {
        match self {
            Self::Exactly(images) | Self::AtLeast(images) => images,
        }
    }

    fn is_exact(self) -> bool {
        matches!(self, Self::Exactly(_))
    }
}

impl fmt::Display for ImageCount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(images) => write!(formatter, "{images}"),
            Self::AtLeast(images) => write!(formatter, "at least {images}"),
        }
    }
}

impl From<InvalidImage> for RequestError {
    fn from(error: InvalidImage) -> Self {
        Self::InvalidImage(Arc::new(error))
    }
}

/// The earliest time after which a rejected request is worth retrying: a few inferences.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(200);
/// Header: milliseconds after which a gRPC client may retry by itself.
const RETRY_PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Header: how messages may be compressed. The specification requires it when a message that is compressed in another way
/// is rejected.
pub(crate) const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

impl RequestError {
    /// An error in a tensor; `problem` is worded as [`RequestError::TensorMalformed`] requires.
    pub(crate) fn tensor(field: &'static str, problem: String) -> Self {
        Self::TensorMalformed { field, problem }
    }

    /// The status that the client sees, with google.rpc details.
    pub(crate) fn status(&self, request_id: &str) -> Status {
        let rpc = self.rpc_status(request_id);
        let details = rpc.encode_to_vec().into();
        let mut status = Status::with_details(self.code(), rpc.message, details);
        if let Some(delay) = self.retry_delay() {
            let delay_ms = MetadataValue::from(delay.as_millis().try_into().unwrap_or(u64::MAX));
            status.metadata_mut().insert(RETRY_PUSHBACK, delay_ms);
        }
        if matches!(self, Self::MessageCompressed) {
            let accepted = MetadataValue::from_static(encoding::ACCEPTED);
            status.metadata_mut().insert(ACCEPT_ENCODING, accepted);
        }
        status
    }

    /// The same status as a message, for one image of several.
    pub(crate) fn rpc_status(&self, request_id: &str) -> pb::Status {
        let details = self.details(request_id);
        let retry = details.retry_info().cloned();
        let info = details.error_info().cloned();
        let request = details.bad_request().cloned();
        let details = [
            retry.map(|retry| any(RetryInfo::TYPE_URL, &pb::RetryInfo::from(retry))),
            info.map(|info| any(ErrorInfo::TYPE_URL, &pb::ErrorInfo::from(info))),
            request.map(|request| any(BadRequest::TYPE_URL, &pb::BadRequest::from(request))),
        ];
        pb::Status {
            code: self.code().into(),
            message: self.to_string(),
            details: details.into_iter().flatten().collect(),
        }
    }

    /// The machine-readable part of the error.
    pub(crate) fn details(&self, request_id: &str) -> ErrorDetails {
        let mut metadata = self.metadata();
        if self.code() == Code::Internal {
            metadata.insert("request_id".to_owned(), request_id.to_owned());
        }
        let mut details = ErrorDetails::new();
        details.set_error_info(self.reason().as_str_name(), ERROR_DOMAIN, metadata);
        if let Some(field) = self.field() {
            details.add_bad_request_violation(field, self.to_string());
        }
        if let Some(delay) = self.retry_delay() {
            details.set_retry_info(Some(delay));
        }
        details
    }

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
            _ => http_status(self.code(), self.reason()),
        }
    }

    /// When the same request may succeed; `None` if a retry is useless.
    pub(crate) fn retry_delay(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_delay }
            | Self::TooManyWatches { retry_delay }
            | Self::RateLimited { retry_delay } => Some(RETRY_DELAY_MIN.max(*retry_delay)),
            Self::NotReady => Some(RETRY_DELAY_MIN),
            _ => None,
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
            Self::MessageMalformed | Self::MetadataTooLarge { .. } => {
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
            Self::DeadlineExceeded
            | Self::UploadTooSlow { .. }
            | Self::StreamIdle { .. }
            | Self::StreamTooOld { .. } => (Code::DeadlineExceeded, ErrorReason::DeadlineExceeded),
            Self::TimeoutMalformed { .. } => (Code::InvalidArgument, ErrorReason::TimeoutMalformed),
            Self::NotReady => (Code::Unavailable, ErrorReason::NotReady),
            Self::Internal(_) => (Code::Internal, ErrorReason::InternalError),
        }
    }

    /// The field of the request that is at fault.
    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidImage(_) | Self::MessageTooLarge { .. } => Some("image_data"),
            Self::TopK { .. } => Some("top_k"),
            Self::UnknownModel { .. } => Some("model"),
            Self::BatchSize { .. } => Some("requests"),
            Self::IdTooLong { .. } => Some("id"),
            Self::TensorMalformed { field, .. } => Some(field),
            Self::ParameterMalformed { name, .. } => Some(name),
            Self::NotSentAsImage { .. } => Some("image_data"),
            Self::MessageMalformed
            | Self::MetadataTooLarge { .. }
            | Self::MessageCompressed
            | Self::UnknownMethod { .. }
            | Self::ParameterUnknown { .. }
            | Self::FormMalformed
            | Self::Overloaded { .. }
            | Self::TooManyWatches { .. }
            | Self::RateLimited { .. }
            | Self::Unauthenticated
            | Self::NotReady
            | Self::DeadlineExceeded
            | Self::UploadTooSlow { .. }
            | Self::StreamIdle { .. }
            | Self::StreamTooOld { .. }
            | Self::TimeoutMalformed { .. }
            | Self::Internal(_) => None,
        }
    }

    /// The metadata that the contract promises for the reason.
    fn metadata(&self) -> HashMap<String, String> {
        let pairs: Vec<(&str, String)> = match self {
            Self::InvalidImage(error) => match **error {
                InvalidImage::TooLarge { bytes, bytes_max } => vec![
                    ("bytes", bytes.to_string()),
                    ("bytes_max", bytes_max.to_string()),
                ],
                InvalidImage::Dimensions {
                    width,
                    height,
                    pixels_max,
                } => vec![
                    ("width", width.to_string()),
                    ("height", height.to_string()),
                    ("pixels_max", pixels_max.to_string()),
                ],
                InvalidImage::UnknownFormat => vec![accepted()],
                InvalidImage::ForeignFormat(format) => {
                    vec![accepted(), ("format", format.name.to_owned())]
                }
                InvalidImage::Truncated { rows_present, rows } => vec![
                    ("rows_present", rows_present.to_string()),
                    ("rows", rows.to_string()),
                ],
                InvalidImage::Empty | InvalidImage::Undecodable(_) | InvalidImage::Jpeg(_) => {
                    vec![]
                }
            },
            Self::MessageTooLarge { bytes_max } => vec![("bytes_max", bytes_max.to_string())],
            Self::TopK { top_k, top_k_max } => vec![
                ("top_k", top_k.to_string()),
                ("top_k_max", top_k_max.to_string()),
            ],
            Self::UnknownModel { model, available } => vec![
                ("model", excerpt(model).to_owned()),
                ("available", available.clone()),
            ],
            Self::BatchSize { images, images_max } => vec![
                ("images", images.counted().to_string()),
                ("images_exact", images.is_exact().to_string()),
                ("images_max", images_max.to_string()),
            ],
            Self::IdTooLong { bytes, bytes_max } => vec![
                ("bytes", bytes.to_string()),
                ("bytes_max", bytes_max.to_string()),
            ],
            Self::NotSentAsImage { .. } => vec![accepted()],
            Self::MessageMalformed
            | Self::MetadataTooLarge { .. }
            | Self::MessageCompressed
            | Self::UnknownMethod { .. }
            | Self::TensorMalformed { .. }
            | Self::ParameterMalformed { .. }
            | Self::ParameterUnknown { .. }
            | Self::FormMalformed
            | Self::Overloaded { .. }
            | Self::TooManyWatches { .. }
            | Self::RateLimited { .. }
            | Self::Unauthenticated
            | Self::NotReady
            | Self::DeadlineExceeded
            | Self::UploadTooSlow { .. }
            | Self::StreamIdle { .. }
            | Self::StreamTooOld { .. }
            | Self::TimeoutMalformed { .. }
            | Self::Internal(_) => vec![],
        };
        let owned = pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        owned.collect()
    }
}

fn any(type_url: &str, message: &impl Message) -> Any {
    Any {
        type_url: type_url.to_owned(),
        value: message.encode_to_vec(),
    }
}

fn accepted() -> (&'static str, String) {
    ("accepted", imageclassifier_model::MEDIA_TYPES.join(" "))
}

/// The beginning of a client's text, short enough for headers.
pub(crate) fn excerpt(text: &str) -> &str {
    const BYTES_MAX: usize = 64;
    let end = text.floor_char_boundary(BYTES_MAX);
    &text[..end]
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
        (Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss, _) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
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
