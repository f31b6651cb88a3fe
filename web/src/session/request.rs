//! The way of one picture to the server: prepared, sent, answered.

use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason, UploadWatch,
};
use leptos::prelude::*;
use web_sys::Blob;

use crate::{
    failure::{Failure, Remedy},
    image::{
        picked::{Accepted, Picked},
        read,
        shrink::Shrinking,
    },
    session::server::Limits,
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
    pub(crate) limits: Limits,
    pub(crate) shrinking: Shrinking,
}

/// Why a picture has no answer, for people and for programs.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    error: Option<CallError>,
}

/// A picture that is asked about, and where to tell how far that is.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) picked: Picked,
    pub(crate) step: RwSignal<Step>,
}

/// What came of it: the answer, and how many milliseconds it took from the file to it.
pub(crate) type Outcome = Result<(Answer, f64), Fault>;

/// Asks about some pictures in one call; what comes of each, in their order. Those whose format the server does not know get
/// a second one, as the JPEGs that the browser draws of them.
pub(crate) async fn ask(terms: &Terms, asked: &[Asked]) -> Vec<Outcome> {
    let asked_ms = now_ms();
    let accepted = Accepted {
        image_bytes_max: terms.limits.image_bytes_max,
        media_types: &terms.limits.media_types,
    };
    let mut prepared = Vec::new();
    for one in asked {
        one.step.set(Step::Preparing);
        prepared.push(one.picked.prepare(accepted, terms.shrinking).await);
    }
    let mut outcomes = exchange(terms, asked, prepared).await;
    let mut again = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        if outcomes[at].as_ref().is_err_and(Fault::is_unknown_format)
            && let Some(drawn) = one.picked.redrawn().await
        {
            again.push((at, one.clone(), Ok(drawn)));
        }
    }
    let (places, (asked, prepared)): (Vec<_>, (Vec<_>, Vec<_>)) = again
        .into_iter()
        .map(|(at, one, drawn)| (at, (one, drawn)))
        .unzip();
    let second = exchange(terms, &asked, prepared).await;
    for (at, outcome) in places.into_iter().zip(second) {
        outcomes[at] = outcome;
    }
    let took_ms = now_ms() - asked_ms;
    let timed = outcomes.into_iter();
    timed
        .map(|outcome| outcome.map(|answer| (answer, took_ms)))
        .collect()
}

/// Sends what was prepared, leaving out files that turn out to be unreadable; what comes of each picture.
async fn exchange(
    terms: &Terms,
    asked: &[Asked],
    mut prepared: Vec<Result<Blob, Failure>>,
) -> Vec<Result<Answer, Fault>> {
    let mut answers = loop {
        let pictures: Vec<_> = prepared.iter().flatten().cloned().collect();
        let answers = call(terms, &pictures, asked).await;
        let lost = answers.iter().all(is_lost);
        if !lost || !leave_out_unreadable(asked, &mut prepared).await {
            break answers.into_iter();
        }
    };
    let prepared = asked.iter().zip(prepared);
    prepared
        .map(|(one, prepared)| {
            prepared?;
            let answer = answers.next().expect("each picture has an outcome");
            answer.map_err(|error| Fault::call(&one.picked.name(), error, terms))
        })
        .collect()
}

/// Whether the browser got no answer. It does not say where it was a file that it could not read.
fn is_lost(outcome: &Result<Answer, CallError>) -> bool {
    outcome.as_ref().is_err_and(|error| {
        error.kind() == ErrorKind::Unavailable && error.reason() == ErrorReason::Unspecified
    })
}

/// Whether there was one. Files may change or go after they were picked.
async fn leave_out_unreadable(asked: &[Asked], prepared: &mut [Result<Blob, Failure>]) -> bool {
    let mut found = false;
    for (one, prepared) in asked.iter().zip(prepared) {
        if let Ok(picture) = prepared
            && read::head(picture, 1).await.is_err()
        {
            let name = one.picked.name();
            *prepared = Err(Failure::Unreadable { name });
            found = true;
        }
    }
    found
}

/// Once more, without heatmaps, where the server draws none.
async fn call(terms: &Terms, pictures: &[Blob], asked: &[Asked]) -> Vec<Result<Answer, CallError>> {
    if pictures.is_empty() {
        return Vec::new();
    }
    let steps: Vec<_> = asked.iter().map(|one| one.step).collect();
    let tell = move |step| steps.iter().for_each(|each| each.set(step));
    tell(Step::Sending(0.0));
    let watch = UploadWatch::new(move |sent| {
        tell(if sent < 1.0 {
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
        send(&terms.classifier, pictures, options, watch.clone())
    };
    let outcomes = call(terms.explains.get_value()).await;
    let explains = |outcome: &Result<_, CallError>| !matches!(outcome, Err(error) if error.reason() == ErrorReason::ExplainUnsupported);
    if outcomes.iter().all(explains) {
        return outcomes;
    }
    terms.explains.set_value(false);
    call(false).await
}

#[cfg(target_arch = "wasm32")]
async fn send(
    classifier: &Classifier,
    pictures: &[Blob],
    options: ClassifyOptions,
    watch: UploadWatch,
) -> Vec<Result<Answer, CallError>> {
    classifier.classify_blobs(pictures, &options, watch).await
}

/// The page's unit tests run natively, where there are no blobs to send.
#[cfg(not(target_arch = "wasm32"))]
async fn send(
    _: &Classifier,
    _: &[Blob],
    _: ClassifyOptions,
    _: UploadWatch,
) -> Vec<Result<Answer, CallError>> {
    unreachable!("only a browser has blobs")
}

impl Fault {
    fn is_unknown_format(&self) -> bool {
        let error = self.error.as_ref();
        error.is_some_and(|error| error.reason() == ErrorReason::ImageFormatUnknown)
    }

    fn call(name: &str, error: CallError, terms: &Terms) -> Self {
        let has_token = terms.classifier.has_token();
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

pub(crate) fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}
