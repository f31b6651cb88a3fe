use imageclassifier_client::{CallError, ErrorKind, ErrorReason};

use crate::size;

const FORMATS: &str = "Choose a JPEG, PNG, WebP, GIF or BMP.";

/// Why there is no answer, in a sentence that says what one can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    sentence: String,
    remedy: Remedy,
}

/// What can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// What the sentence says; the same call would fail again.
    Another,
    /// Trying again.
    TryAgain,
    /// An access token.
    AccessToken,
}

impl Failure {
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }

    pub(crate) fn remedy(&self) -> Remedy {
        self.remedy
    }

    pub(crate) fn not_a_picture(name: &str) -> Self {
        Self::lasting(format!(
            "{name} is not a picture this page can read. {FORMATS}"
        ))
    }

    pub(crate) fn empty(name: &str) -> Self {
        Self::lasting(format!("{name} is empty. Choose another picture."))
    }

    pub(crate) fn unreadable(name: &str) -> Self {
        Self::passing(format!(
            "{name} could not be read. Try again, or choose another picture."
        ))
    }

    pub(crate) fn nothing_pasted() -> Self {
        Self::lasting(
            "What you pasted holds no picture. Copy a picture, then paste again.".to_owned(),
        )
    }

    pub(crate) fn too_large(name: &str, bytes: u64, bytes_max: u64) -> Self {
        Self::lasting(format!(
            "{name} is {}; the limit is {}. Choose a smaller picture.",
            size::rounded_up(bytes),
            size::rounded_down(bytes_max)
        ))
    }

    /// The server has refused the access token that it was given.
    pub(crate) fn token_refused() -> Self {
        Self::for_want_of_a_token(
            "The server did not accept this access token. Check it and enter it again, or ask whoever runs the server.",
        )
    }

    /// What was entered is none.
    pub(crate) fn token_unusable() -> Self {
        Self::for_want_of_a_token(
            "This cannot be an access token: it has a space or an unusual character. Copy it again.",
        )
    }

    /// What the server said about the picture `name`, or that it said nothing.
    pub(crate) fn call(name: &str, error: &CallError) -> Self {
        match error.reason() {
            ErrorReason::ImageEmpty => Self::empty(name),
            ErrorReason::ImageTooLarge => {
                match (number(error, "bytes"), number(error, "bytes_max")) {
                    (Some(bytes), Some(bytes_max)) => Self::too_large(name, bytes, bytes_max),
                    _ => Self::lasting(format!("{name} is too large. Choose a smaller picture.")),
                }
            }
            ErrorReason::ImageFormatUnknown => Self::not_a_picture(name),
            ErrorReason::ImageUndecodable => Self::lasting(format!(
                "{name} is damaged, or of a rare kind. Save it anew as JPEG or PNG, then choose that."
            )),
            ErrorReason::ImageDimensions => Self::lasting(dimensions(name, error)),
            ErrorReason::TopKOutOfRange
            | ErrorReason::ModelUnknown
            | ErrorReason::ExplainUnsupported
            | ErrorReason::TimeoutMalformed
            | ErrorReason::MessageMalformed => Self::misfit(),
            ErrorReason::Overloaded => {
                Self::passing(format!("The server is busy. {}", later(error)))
            }
            ErrorReason::RateLimited => Self::passing(format!(
                "You ask more often than this server allows. {}",
                later(error)
            )),
            ErrorReason::NotReady => Self::passing(format!(
                "The server is starting or stopping. {}",
                later(error)
            )),
            ErrorReason::DeadlineExceeded => Self::too_late(name),
            ErrorReason::Unauthenticated => Self::for_want_of_a_token(
                "This server answers only with an access token. Enter yours, or ask whoever runs the server for one.",
            ),
            ErrorReason::InternalError => Self::lasting(internal(name, error.detail("request_id"))),
            ErrorReason::Unspecified => Self::unexplained(name, error),
        }
    }

    /// A call that failed before or outside the service.
    fn unexplained(name: &str, error: &CallError) -> Self {
        match error.kind() {
            ErrorKind::Unavailable => Self::passing(
                "The server does not answer. Check that it runs, then try again.".to_owned(),
            ),
            ErrorKind::DeadlineExceeded => Self::too_late(name),
            ErrorKind::InvalidInput => Self::lasting(format!(
                "The server refused {name}. Choose another picture."
            )),
            ErrorKind::Unauthenticated => Self::lasting(
                "The server does not take calls from this page. Ask whoever runs it.".to_owned(),
            ),
            ErrorKind::Cancelled => {
                Self::passing(format!("The call about {name} was given up. Try again."))
            }
            ErrorKind::Unsupported => Self::misfit(),
            ErrorKind::Internal => Self::lasting(internal(name, None)),
        }
    }

    fn too_late(name: &str) -> Self {
        Self::passing(format!("The server took too long over {name}. Try again."))
    }

    fn misfit() -> Self {
        Self::lasting(
            "This page is of another version than its server. Reload the page.".to_owned(),
        )
    }

    fn lasting(sentence: String) -> Self {
        Self {
            sentence,
            remedy: Remedy::Another,
        }
    }

    fn passing(sentence: String) -> Self {
        Self {
            sentence,
            remedy: Remedy::TryAgain,
        }
    }

    fn for_want_of_a_token(sentence: &str) -> Self {
        Self {
            sentence: sentence.to_owned(),
            remedy: Remedy::AccessToken,
        }
    }
}

fn dimensions(name: &str, error: &CallError) -> String {
    let found = (
        number(error, "width"),
        number(error, "height"),
        number(error, "pixels_max"),
    );
    match found {
        (Some(width), Some(height), Some(pixels_max)) => format!(
            "{name} has {width} × {height} pixels; the limit is {} megapixels. Make it smaller, then choose it again.",
            pixels_max / 1_000_000
        ),
        _ => format!("{name} has too many pixels, or none. Choose another picture."),
    }
}

fn internal(name: &str, request_id: Option<&str>) -> String {
    match request_id {
        Some(id) => format!(
            "The server failed over {name}. Its log says more under {id}. Try another picture."
        ),
        None => format!("The server failed over {name}. Try another picture."),
    }
}

fn later(error: &CallError) -> String {
    match error
        .retry_after()
        .map(|wait| wait.as_millis().div_ceil(1000))
    {
        Some(1) => "Try again in 1 second.".to_owned(),
        Some(seconds) if seconds > 1 => format!("Try again in {seconds} seconds."),
        _ => "Try again in a moment.".to_owned(),
    }
}

fn number(error: &CallError, key: &str) -> Option<u64> {
    error.detail(key)?.parse().ok()
}

#[cfg(test)]
mod tests;
