use imageclassifier_client::Answer;

use crate::{failure::Failure, image::picked::Picked, session::shared::Shared};

/// Where the page is between an image and its result.
#[derive(Clone)]
pub(crate) enum Phase {
    /// Nothing picked yet.
    Empty,
    /// Images are fetched by their addresses, from a site unless the addresses hold them.
    Fetching { site: Option<String> },
    /// The server classifies this image.
    Asking(Picked),
    /// The server has answered; the time from the image's choice to the answer is in milliseconds.
    Answered(Picked, Answer, f64),
    /// No answer. There is no image either where none was found in what was picked.
    Failed(Option<Picked>, Failure),
    /// The visitor has cancelled the request.
    Cancelled(Picked),
    /// A shared result, from a link.
    Shared(Shared),
}

impl Phase {
    /// As written into `data-phase`, for the style sheet and the tests.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Fetching { .. } | Self::Asking(_) => "asking",
            Self::Answered(..) => "answered",
            Self::Failed(..) => "failed",
            Self::Cancelled(_) => "cancelled",
            Self::Shared(_) => "shared",
        }
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self, Self::Fetching { .. } | Self::Asking(_))
    }

    pub(crate) fn picked(&self) -> Option<&Picked> {
        match self {
            Self::Empty | Self::Fetching { .. } | Self::Shared(_) => None,
            Self::Asking(picked) | Self::Answered(picked, ..) | Self::Cancelled(picked) => {
                Some(picked)
            }
            Self::Failed(picked, _) => picked.as_ref(),
        }
    }

    /// The answer for the image shown.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(_, answer, _) => Some(answer),
            Self::Empty
            | Self::Fetching { .. }
            | Self::Asking(_)
            | Self::Failed(..)
            | Self::Cancelled(_)
            | Self::Shared(_) => None,
        }
    }

    /// Whether it is the answer to this request.
    pub(crate) fn shows(&self, request_id: &str) -> bool {
        let answer = self.answer();
        answer.is_some_and(|answer| answer.request_id == request_id)
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }
}

/// Whether an answer explains its classes.
pub(crate) fn has_heatmaps(answer: &Answer) -> bool {
    let mut predictions = answer.predictions.iter();
    predictions.all(|prediction| prediction.heatmap.is_some())
}
