mod size;

use imageclassifier_client::{CallError, ErrorKind, ErrorReason};

use crate::texts::Language;

/// Why there is no result. Becomes a sentence that tells what the visitor can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    NotAnImage {
        name: String,
    },
    Empty {
        name: String,
    },
    Unreadable {
        name: String,
    },
    NothingPasted,
    NothingDropped,
    /// A file that the browser shows in a drop but does not hand over, as from some mail programs.
    DropUnreadable,
    /// An address that no other page can open.
    ClosedAddress,
    /// A folder without images.
    NothingFound,
    /// Another site that does not let its image be fetched, or an address that this page may not fetch.
    OtherSite {
        site: String,
    },
    TooLarge {
        name: String,
        bytes: Option<u64>,
        bytes_max: Option<u64>,
    },
    /// Too large to send, and the browser cannot help.
    Unshrinkable {
        name: String,
    },
    Corrupt {
        name: String,
    },
    Dimensions {
        name: String,
        width: Option<String>,
        height: Option<String>,
        pixels_max: Option<u64>,
    },
    Busy {
        wait_seconds: Option<u64>,
    },
    TooManyRequests {
        wait_seconds: Option<u64>,
    },
    NotReady {
        wait_seconds: Option<u64>,
    },
    TooLate {
        name: String,
    },
    NoAnswer,
    Rejected {
        name: String,
    },
    NotFromThisPage,
    Cancelled {
        name: String,
    },
    OtherVersion,
    /// The chosen model was removed from the server.
    ModelMissing,
    /// The server keeps no more images.
    FeedbackFull,
    ServerFailed {
        name: String,
        request_id: Option<String>,
    },
    /// A link to a shared result that cannot be read.
    LinkDamaged,
    TokenRequired,
    TokenRejected,
    /// What was entered cannot be a token.
    TokenUnusable,
}

/// What can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// What the sentence says; the same request would fail again.
    Another,
    /// A retry.
    TryAgain,
    /// Shrinking the image.
    Shrink,
    /// An access token.
    AccessToken,
}

impl Failure {
    pub(crate) fn sentence(&self, language: Language) -> String {
        match self {
            Self::NotAnImage { name } => language.not_an_image(name),
            Self::Empty { name } => language.is_empty(name),
            Self::Unreadable { name } => language.unreadable(name),
            Self::NothingPasted => language.nothing_pasted().to_owned(),
            Self::NothingDropped => language.nothing_dropped().to_owned(),
            Self::DropUnreadable => language.drop_unreadable().to_owned(),
            Self::ClosedAddress => language.closed_address().to_owned(),
            Self::NothingFound => language.nothing_found().to_owned(),
            Self::OtherSite { site } => language.other_site(site),
            Self::Unshrinkable { name } => language.unshrinkable(name),
            Self::TooLarge {
                name,
                bytes: Some(bytes),
                bytes_max: Some(bytes_max),
            } => language.too_large(
                name,
                &size::rounded_up(*bytes, language),
                &size::rounded_down(*bytes_max, language),
            ),
            Self::TooLarge { name, .. } => language.far_too_large(name),
            Self::Corrupt { name } => language.corrupt(name),
            Self::Dimensions {
                name,
                width: Some(width),
                height: Some(height),
                pixels_max: Some(pixels_max),
            } => language.too_many_pixels(name, width, height, pixels_max / 1_000_000),
            Self::Dimensions { name, .. } => language.unusual_dimensions(name),
            Self::Busy { wait_seconds } => language.busy(&later(*wait_seconds, language)),
            Self::TooManyRequests { wait_seconds } => {
                language.too_many_requests(&later(*wait_seconds, language))
            }
            Self::NotReady { wait_seconds } => language.not_ready(&later(*wait_seconds, language)),
            Self::TooLate { name } => language.too_late(name),
            Self::NoAnswer => language.no_answer().to_owned(),
            Self::Rejected { name } => language.rejected(name),
            Self::NotFromThisPage => language.not_from_this_page().to_owned(),
            Self::Cancelled { name } => language.cancelled_image(name),
            Self::ModelMissing => language.model_missing().to_owned(),
            Self::FeedbackFull => language.feedback_full().to_owned(),
            Self::OtherVersion => language.other_version().to_owned(),
            Self::ServerFailed {
                name,
                request_id: Some(request_id),
            } => language.server_failed_logged(name, request_id),
            Self::ServerFailed { name, .. } => language.server_failed(name),
            Self::LinkDamaged => language.link_damaged().to_owned(),
            Self::TokenRequired => language.token_required().to_owned(),
            Self::TokenRejected => language.token_rejected().to_owned(),
            Self::TokenUnusable => language.token_unusable().to_owned(),
        }
    }

    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Unreadable { .. }
            | Self::Busy { .. }
            | Self::TooManyRequests { .. }
            | Self::NotReady { .. }
            | Self::TooLate { .. }
            | Self::NoAnswer
            | Self::ModelMissing
            | Self::Cancelled { .. } => Remedy::TryAgain,
            Self::TokenRequired | Self::TokenRejected | Self::TokenUnusable => Remedy::AccessToken,
            Self::TooLarge { .. } | Self::Dimensions { .. } => Remedy::Shrink,
            Self::NotAnImage { .. }
            | Self::Empty { .. }
            | Self::NothingPasted
            | Self::NothingDropped
            | Self::DropUnreadable
            | Self::ClosedAddress
            | Self::NothingFound
            | Self::OtherSite { .. }
            | Self::Unshrinkable { .. }
            | Self::Corrupt { .. }
            | Self::Rejected { .. }
            | Self::NotFromThisPage
            | Self::OtherVersion
            | Self::FeedbackFull
            | Self::LinkDamaged
            | Self::ServerFailed { .. } => Remedy::Another,
        }
    }

    /// What the server said about the image `name`, or that it did not answer.
    pub(crate) fn call(name: &str, error: &CallError) -> Self {
        let name = name.to_owned();
        let wait_seconds = wait_seconds(error);
        match error.reason() {
            ErrorReason::ImageEmpty => Self::Empty { name },
            ErrorReason::ImageTooLarge => Self::TooLarge {
                name,
                bytes: number(error, "bytes"),
                bytes_max: number(error, "bytes_max"),
            },
            ErrorReason::ImageFormatUnknown => Self::NotAnImage { name },
            ErrorReason::ImageUndecodable => Self::Corrupt { name },
            ErrorReason::ImageDimensions => Self::Dimensions {
                name,
                width: error.detail("width").map(str::to_owned),
                height: error.detail("height").map(str::to_owned),
                pixels_max: number(error, "pixels_max"),
            },
            ErrorReason::ModelUnknown => Self::ModelMissing,
            // The page's own requests cause these only if it is older or newer than the server.
            ErrorReason::TopKOutOfRange
            | ErrorReason::ExplainUnsupported
            | ErrorReason::TimeoutMalformed
            | ErrorReason::MessageMalformed
            | ErrorReason::MessageCompressed
            | ErrorReason::MethodUnknown
            | ErrorReason::BatchSize
            | ErrorReason::IdTooLong
            | ErrorReason::TensorMalformed
            | ErrorReason::NotEnabled
            | ErrorReason::ModelUnusable
            | ErrorReason::LabelMalformed => Self::OtherVersion,
            ErrorReason::FeedbackFull => Self::FeedbackFull,
            ErrorReason::Overloaded => Self::Busy { wait_seconds },
            ErrorReason::RateLimited => Self::TooManyRequests { wait_seconds },
            ErrorReason::NotReady => Self::NotReady { wait_seconds },
            ErrorReason::DeadlineExceeded => Self::TooLate { name },
            ErrorReason::Unauthenticated | ErrorReason::PermissionDenied => Self::TokenRequired,
            ErrorReason::InternalError => Self::ServerFailed {
                name,
                request_id: error.detail("request_id").map(str::to_owned),
            },
            ErrorReason::Unspecified => Self::unexplained(name, error),
        }
    }

    /// A request that failed before or outside the service.
    fn unexplained(name: String, error: &CallError) -> Self {
        match error.kind() {
            ErrorKind::Unavailable => Self::NoAnswer,
            ErrorKind::DeadlineExceeded => Self::TooLate { name },
            ErrorKind::InvalidInput => Self::Rejected { name },
            ErrorKind::Unauthenticated => Self::NotFromThisPage,
            ErrorKind::Cancelled => Self::Cancelled { name },
            ErrorKind::Unsupported => Self::OtherVersion,
            ErrorKind::Internal => Self::ServerFailed {
                name,
                request_id: None,
            },
        }
    }
}

fn later(wait_seconds: Option<u64>, language: Language) -> String {
    match wait_seconds {
        Some(seconds) if seconds > 0 => language.try_again_in(seconds),
        _ => language.in_a_moment().to_owned(),
    }
}

/// Rounded up, so that a retry after it is not too early.
fn wait_seconds(error: &CallError) -> Option<u64> {
    let wait_ms = error.retry_after()?.as_millis();
    u64::try_from(wait_ms.div_ceil(1000)).ok()
}

fn number(error: &CallError, key: &str) -> Option<u64> {
    error.detail(key)?.parse().ok()
}

#[cfg(test)]
mod tests;
