//! What went wrong, in the client's terms.

mod codes;
mod details;

use std::{fmt, io, sync::Arc, time::Duration};

use imageclassifier_model::{InvalidImage, NetworkError};

pub(crate) use codes::{code_name, reasons};
pub(crate) use details::ACCEPT_ENCODING;

/// Why a request fails.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error(transparent)]
    InvalidImage(Arc<InvalidImage>),
    #[error(
        "the message is longer than the limit, {bytes_max} bytes: send smaller, more compressed or fewer images"
    )]
    MessageTooLarge { bytes_max: u64 },
    #[error("the metadata is {bytes} bytes long, the limit is {bytes_max}: send less of it")]
    MetadataTooLarge { bytes: usize, bytes_max: usize },
    #[error(
        "the message cannot be read: send the method's message, framed and compressed as the headers say"
    )]
    MessageMalformed,
    #[error(
        "the body is not an inference request: {problem}: send the JSON of the Open Inference Protocol, and its length in Inference-Header-Content-Length if binary tensors follow it"
    )]
    JsonMalformed { problem: String },
    #[error(
        "the server does not support this compression of messages: send the message uncompressed, or, unless it is for server reflection, with gzip or zstd"
    )]
    MessageCompressed,
    /// The end of the message, which says what is available.
    #[error("there is no method of that name: {help}")]
    UnknownMethod { help: &'static str },
    #[error("top_k is {top_k}: request at most {top_k_max} classes")]
    TopK { top_k: u32, top_k_max: usize },
    #[error(
        "there is no model {:?} here: use one of {available:?}",
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
        "the query has an unknown parameter {:?}: use top_k, model, explain or embed",
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
    #[error("too many requests at once: try again after the delay in RetryInfo")]
    Overloaded { retry_delay: Duration },
    #[error(
        "too many health watches and reflection streams are open: close one, or use Check, and try again after the delay in RetryInfo"
    )]
    TooManyWatches { retry_delay: Duration },
    #[error("too many requests from this client: try again after the delay in RetryInfo")]
    RateLimited { retry_delay: Duration },
    #[error("the request has no valid access token: send \"authorization: Bearer TOKEN\"")]
    Unauthenticated,
    #[error(
        "this access token may not change models: send one whose line in the server's --token-file ends with \"publish\""
    )]
    PermissionDenied,
    /// The end of the message, which names the option.
    #[error("the server does not offer this: {help}")]
    NotEnabled { help: &'static str },
    #[error("cannot use the model {:?}: {problem}", excerpt(model))]
    ModelUnusable { model: String, problem: String },
    #[error(
        "the model {:?} has no heatmaps and no feature vectors, because its network does not end with global average pooling and a linear layer: request neither, or use another model",
        excerpt(model)
    )]
    ExplainUnsupported { model: String },
    #[error("the label has {bytes} bytes: name the class in 1 to {bytes_max} bytes")]
    LabelMalformed { bytes: usize, bytes_max: usize },
    #[error(
        "the server keeps no more images: train a model with them, and empty its feedback folder"
    )]
    FeedbackFull,
    #[error("the connection or the stream ended before the message did: send it again")]
    ClientLeft,
    #[error("the server is starting or stopping: try another one, or again in a moment")]
    NotReady,
    #[error(
        "the deadline passed before the image was classified: allow more time, or try again later"
    )]
    DeadlineExceeded,
    #[error(
        "the message did not arrive within {} s: send a smaller one or use a faster connection",
        timeout.as_secs_f64()
    )]
    UploadTooSlow { timeout: Duration },
    #[error(
        "nothing arrived on the stream for {} s: open another when there is more to send",
        timeout.as_secs_f64()
    )]
    StreamIdle { timeout: Duration },
    #[error("the stream was open for {} s, the limit: open another", age_max.as_secs_f64())]
    StreamTooOld { age_max: Duration },
    #[error(
        "grpc-timeout is {value:?}: write 1 to 8 digits and one of the units H, M, S, m, u, n, for example 500m"
    )]
    TimeoutMalformed { value: String },
    /// The source is only for the log.
    #[error("internal error of the server: quote the request id when you report it")]
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
    #[error("a file cannot be written")]
    Storage(#[source] Arc<io::Error>),
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

impl RequestError {
    /// An error in a tensor; `problem` is worded as [`RequestError::TensorMalformed`] requires.
    pub(crate) fn tensor(field: &'static str, problem: String) -> Self {
        Self::TensorMalformed { field, problem }
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
}

/// The beginning of a client's text, short enough for headers.
pub(crate) fn excerpt(text: &str) -> &str {
    const BYTES_MAX: usize = 64;
    let end = text.floor_char_boundary(BYTES_MAX);
    &text[..end]
}
