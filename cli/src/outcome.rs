use std::process::ExitCode;

/// How a run ended, as an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    /// Some images were not classified, or the server is not ready.
    Partial,
    /// Nothing could be done: wrong usage, or no usable server.
    Failure,
}

impl Outcome {
    /// Whether everything was done, or only some of it.
    pub(crate) fn complete_if(complete: bool) -> Self {
        if complete {
            Self::Success
        } else {
            Self::Partial
        }
    }

    /// Prints why nothing could be done.
    pub(crate) fn failure(why: impl std::fmt::Display) -> Self {
        eprintln!("imageclassifier: {why}");
        Self::Failure
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Success => 0,
            Outcome::Partial => 1,
            Outcome::Failure => 2,
        })
    }
}
