use std::fmt;

use imageclassifier_client::{CallError, ErrorKind, ErrorReason};

/// Why a file was not classified.
#[derive(Clone, Debug)]
pub(crate) enum FileError {
    /// What was attempted, and what went wrong.
    Unreadable(String),
    /// The storage failed or denied access, after retries: the image may be readable later.
    Unavailable(String),
    /// The server rejected it.
    Rejected(CallError),
}

impl FileError {
    pub(crate) fn too_large(bytes_max: u64) -> Self {
        Self::Rejected(CallError::new(
            ErrorKind::InvalidInput,
            ErrorReason::ImageTooLarge,
            format!(
                "the image is larger than the limit of {bytes_max} bytes: send a smaller or more compressed one"
            ),
        ))
    }

    /// The reason in the contract, if there is one.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Rejected(error) if error.reason() != ErrorReason::Unspecified => {
                Some(error.reason().as_str_name())
            }
            Self::Rejected(_) | Self::Unreadable(_) | Self::Unavailable(_) => None,
        }
    }

    /// Whether the image would fail again: the cause is not the server's, the network's or the storage's state.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Unreadable(_) => true,
            Self::Unavailable(_) => false,
            Self::Rejected(error) => match (error.kind(), error.reason()) {
                // Another server of the same name may have the model.
                (ErrorKind::InvalidInput, reason) => reason != ErrorReason::ModelUnknown,
                (
                    ErrorKind::Unauthenticated
                    | ErrorKind::Unavailable
                    | ErrorKind::DeadlineExceeded
                    | ErrorKind::Cancelled
                    | ErrorKind::Unsupported
                    | ErrorKind::Internal,
                    _,
                ) => false,
            },
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) | Self::Unavailable(why) => f.write_str(why),
            Self::Rejected(error) => write!(f, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_image_makes_a_rejection_permanent() {
        for (kind, reason, is_permanent) in [
            (ErrorKind::InvalidInput, ErrorReason::ImageUndecodable, true),
            (ErrorKind::InvalidInput, ErrorReason::Unspecified, true),
            (ErrorKind::InvalidInput, ErrorReason::ModelUnknown, false),
            (ErrorKind::Unsupported, ErrorReason::MethodUnknown, false),
            (ErrorKind::Unavailable, ErrorReason::Overloaded, false),
        ] {
            let error = CallError::new(kind, reason, "the reason".to_owned());
            let error = FileError::Rejected(error);
            assert_eq!(error.is_permanent(), is_permanent, "{reason:?}");
        }
    }
}
