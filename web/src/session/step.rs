use crate::texts::Language;

/// How far an image is on its way to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Step {
    /// Waits for others.
    Queued,
    /// Is read, and shrunk or drawn where that helps.
    #[default]
    Preparing,
    /// This fraction of the request has been sent, 0 to 1.
    Sending(f64),
    /// The server has the whole request.
    Awaiting,
}

impl Step {
    pub(crate) fn text(self, language: Language) -> String {
        match self {
            Self::Queued => language.queued().to_owned(),
            Self::Preparing => language.preparing().to_owned(),
            Self::Sending(sent) => language.sending(&language.decimal(sent * 100.0, 0)),
            Self::Awaiting => language.awaiting().to_owned(),
        }
    }

    /// 0 to 1, of the upload: the one part whose length is known.
    pub(crate) fn fraction(self) -> f64 {
        match self {
            Self::Queued | Self::Preparing => 0.0,
            Self::Sending(sent) => sent,
            Self::Awaiting => 1.0,
        }
    }
}
