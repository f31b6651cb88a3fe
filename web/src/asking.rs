//! The way of one picture to the server: prepared, sent, answered.

use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorReason, UploadWatch,
};
use leptos::prelude::*;

use crate::{
    failure::{Failure, Remedy},
    picked::Picked,
    shrink::Shrinking,
    texts::Language,
};

/// How far a call is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Step {
    /// Others are before it.
    Queued,
    /// It is read, and made smaller where that pays.
    #[default]
    Preparing,
    /// This fraction of it has been sent.
    Sending(f64),
    /// The server has all of it.
    Awaiting,
}

/// What every call of the page has in common.
pub(crate) struct Terms {
    pub(crate) classifier: Classifier,
    pub(crate) options: ClassifyOptions,
    /// Whether the server draws heatmaps, as far as is known.
    pub(crate) explains: StoredValue<bool>,
    pub(crate) image_bytes_max: u64,
    pub(crate) shrinking: Shrinking,
}

/// Why a picture has no answer, for people and for programs.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    error: Option<CallError>,
}

/// The answer, and how many milliseconds it took from the file to it.
pub(crate) async fn ask(
    terms: Terms,
    picked: &Picked,
    step: RwSignal<Step>,
) -> Result<(Answer, f64), Fault> {
    let asked_ms = now_ms();
    step.set(Step::Preparing);
    let image_data = picked
        .prepare(terms.image_bytes_max, terms.shrinking)
        .await?;
    step.set(Step::Sending(0.0));
    let watch = UploadWatch::new(move |sent| {
        step.set(if sent < 1.0 {
            Step::Sending(sent)
        } else {
            Step::Awaiting
        });
    });
    let call = |explain| {
        let options = ClassifyOptions {
            explain,
            ..terms.options.clone()
        };
        let classifier = &terms.classifier;
        classifier.classify_watched(image_data.clone(), options, Some(watch.clone()))
    };
    let mut outcome = call(terms.explains.get_value()).await;
    if matches!(&outcome, Err(error) if error.reason() == ErrorReason::ExplainUnsupported) {
        terms.explains.set_value(false);
        outcome = call(false).await;
    }
    let has_token = terms.classifier.has_token();
    outcome
        .map(|answer| (answer, now_ms() - asked_ms))
        .map_err(|error| Fault::call(&picked.name(), error, has_token))
}

impl Fault {
    fn call(name: &str, error: CallError, has_token: bool) -> Self {
        let failure = if has_token && error.reason() == ErrorReason::Unauthenticated {
            Failure::TokenRefused
        } else {
            Failure::call(name, &error)
        };
        Self {
            failure,
            error: Some(error),
        }
    }

    pub(crate) fn remedy(&self) -> Remedy {
        self.failure.remedy()
    }

    /// How many milliseconds to wait before asking again by itself is right: only where the server names a time.
    pub(crate) fn retry_after_ms(&self) -> Option<u128> {
        Some(self.error.as_ref()?.retry_after()?.as_millis())
    }

    /// As the command line words it: the server's own message where there is one, English in any case.
    pub(crate) fn message(&self) -> String {
        match &self.error {
            Some(error) => error.to_string(),
            None => self.failure.sentence(Language::English),
        }
    }

    /// Out of the contract's reasons: the server's, or what it would have said had it been asked.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        let reason = match (&self.error, &self.failure) {
            (Some(error), _) => error.reason(),
            (None, Failure::Empty { .. }) => ErrorReason::ImageEmpty,
            (None, Failure::TooLarge { .. } | Failure::Unshrinkable { .. }) => {
                ErrorReason::ImageTooLarge
            }
            (None, Failure::NotAPicture { .. }) => ErrorReason::ImageFormatUnknown,
            (None, _) => ErrorReason::Unspecified,
        };
        (reason != ErrorReason::Unspecified).then(|| reason.as_str_name())
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            error: None,
        }
    }
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}
