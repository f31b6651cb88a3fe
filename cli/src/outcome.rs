use std::process::ExitCode;

/// How a run ended, as the exit status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    /// Some pictures were not classified; the server is not ready.
    Partial,
    CouldNotAsk,
}

impl Outcome {
    /// Says why nothing can be asked.
    pub(crate) fn could_not_ask(why: impl std::fmt::Display) -> Self {
        eprintln!("imageclassifier: {why}");
        Self::CouldNotAsk
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Success => 0,
            Outcome::Partial => 1,
            Outcome::CouldNotAsk => 2,
        })
    }
}
