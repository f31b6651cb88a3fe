use imageclassifier_client::{CallError, ErrorReason};

use crate::{
    failure::{Failure, Remedy},
    texts::Language,
};

/// Why an image has no answer, for people and for programs.
#[derive(Clone, Debug)]
pub(crate) struct RequestError {
    pub(crate) failure: Failure,
    error: Option<Box<CallError>>,
}

impl RequestError {
    /// Whether the server cannot read the image's format.
    pub(super) fn is_unknown_format(&self) -> bool {
        let error = self.error.as_ref();
        error.is_some_and(|error| error.reason() == ErrorReason::ImageFormatUnknown)
    }

    /// The failure of a request for the image `name`, sent with an access token or without.
    pub(super) fn of_call(name: &str, error: CallError, has_token: bool) -> Self {
        let failure = if has_token && error.reason() == ErrorReason::Unauthenticated {
            Failure::TokenRejected
        } else {
            Failure::call(name, &error)
        };
        Self {
            failure,
            error: Some(Box::new(error)),
        }
    }

    pub(crate) fn remedy(&self) -> Remedy {
        self.failure.remedy()
    }

    /// How many milliseconds to wait before a retry without the visitor; None unless the server names a time.
    pub(crate) fn retry_after_ms(&self) -> Option<u128> {
        Some(self.error.as_ref()?.retry_after()?.as_millis())
    }

    /// As the command line prints it: the server's message where there is one, in English.
    pub(crate) fn message(&self) -> String {
        match &self.error {
            Some(error) => error.to_string(),
            None => self.failure.sentence(Language::English),
        }
    }

    /// The contract's reason: the server's, or the one that it would have given.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        let reason = match (&self.error, &self.failure) {
            (Some(error), _) => error.reason(),
            (None, Failure::Empty { .. }) => ErrorReason::ImageEmpty,
            (None, Failure::TooLarge { .. } | Failure::Unshrinkable { .. }) => {
                ErrorReason::ImageTooLarge
            }
            (None, Failure::NotAnImage { .. }) => ErrorReason::ImageFormatUnknown,
            (None, _) => ErrorReason::Unspecified,
        };
        (reason != ErrorReason::Unspecified).then(|| reason.as_str_name())
    }
}

impl From<Failure> for RequestError {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            error: None,
        }
    }
}
