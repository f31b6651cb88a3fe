use imageclassifier_client::{Answer, CallError, Classifier, ClassifyOptions, ErrorReason};
use leptos::{prelude::*, task::spawn_local};
use web_sys::File;

use crate::{
    access,
    failure::{Failure, Remedy},
    picked::Picked,
    ticket::Ticket,
};

/// The contract's own default, until the server has told its limit.
const IMAGE_BYTES_MAX: u64 = 10 << 20;

/// Where the page is between a picture and its answer.
#[derive(Clone)]
pub(crate) enum Phase {
    /// Nothing picked yet.
    Empty,
    /// The server is being asked about this picture.
    Asking(Picked),
    /// The server has answered, so many milliseconds after the picture was picked.
    Answered(Picked, Answer, f64),
    /// No answer; no picture either where it was refused before anyone was asked.
    Failed(Option<Picked>, Failure),
}

/// The one part of the page that talks to the server. A handle: copies mean the same session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    phase: RwSignal<Phase, LocalStorage>,
    image_bytes_max: RwSignal<u64>,
    classifier: StoredValue<Classifier, LocalStorage>,
    ticket: StoredValue<Option<Ticket>, LocalStorage>,
}

impl Phase {
    /// As written into `data-phase`, for the style sheet and the tests.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Asking(_) => "asking",
            Self::Answered(..) => "answered",
            Self::Failed(..) => "failed",
        }
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self, Self::Asking(_))
    }

    pub(crate) fn picked(&self) -> Option<&Picked> {
        match self {
            Self::Empty => None,
            Self::Asking(picked) | Self::Answered(picked, ..) => Some(picked),
            Self::Failed(picked, _) => picked.as_ref(),
        }
    }
}

impl Session {
    /// A session with the server that the page came from.
    pub(crate) fn new() -> Self {
        let remembered = access::remembered().map(|token| own_server().with_token(&token));
        let classifier = remembered.and_then(Result::ok).unwrap_or_else(own_server);
        let session = Self {
            phase: RwSignal::new_local(Phase::Empty),
            image_bytes_max: RwSignal::new(IMAGE_BYTES_MAX),
            classifier: StoredValue::new_local(classifier),
            ticket: StoredValue::new_local(None),
        };
        session.learn_limits();
        session
    }

    pub(crate) fn phase(self) -> ReadSignal<Phase, LocalStorage> {
        self.phase.read_only()
    }

    /// Holds a file against the server's limits.
    pub(crate) fn pick(self, file: File) -> Result<Picked, Failure> {
        Picked::file(file, self.image_bytes_max.get_untracked())
    }

    /// Asks about a picture, or says why it cannot; gives up whatever was asked before.
    pub(crate) fn ask(self, picked: Result<Picked, Failure>) {
        let picked = match picked {
            Ok(picked) => picked,
            Err(failure) => {
                self.ticket.set_value(None);
                self.phase.set(Phase::Failed(None, failure));
                return;
            }
        };
        self.phase.set(Phase::Asking(picked.clone()));
        let classifier = self.classifier.get_value();
        let (ticket, asking) = Ticket::issue(async move {
            let phase = ask(&classifier, picked).await;
            if matches!(&phase, Phase::Failed(_, failure) if failure.remedy() == Remedy::AccessToken)
            {
                self.forget_token();
            }
            self.phase.set(phase);
        });
        self.ticket.set_value(Some(ticket));
        spawn_local(asking);
    }

    /// Asks once more about the picture whose call failed.
    pub(crate) fn retry(self) {
        let picked = self.phase.with_untracked(|phase| phase.picked().cloned());
        if let Some(picked) = picked {
            self.ask(Ok(picked));
        }
    }

    /// Shows this token to the server from now on, and asks once more.
    pub(crate) fn use_token(self, token: &str) {
        match own_server().with_token(token) {
            Ok(classifier) => {
                access::remember(token);
                self.classifier.set_value(classifier);
                self.learn_limits();
                self.retry();
            }
            Err(_) => self.phase.update(|phase| {
                let picked = phase.picked().cloned();
                *phase = Phase::Failed(picked, Failure::TokenUnusable);
            }),
        }
    }

    fn forget_token(self) {
        access::forget();
        self.classifier.set_value(own_server());
    }

    /// Without an answer the contract's limits stand; the server checks its own in any case.
    fn learn_limits(self) {
        let classifier = self.classifier.get_value();
        spawn_local(async move {
            let model = classifier.model("").await;
            if let Some(limits) = model.ok().and_then(|model| model.limits) {
                self.image_bytes_max.set(limits.image_bytes_max);
            }
        });
    }
}

/// The server that the page came from.
fn own_server() -> Classifier {
    let origin = location()
        .origin()
        .expect("a page that was loaded has an origin");
    Classifier::new(&origin).expect("an origin is a URL")
}

async fn ask(classifier: &Classifier, picked: Picked) -> Phase {
    let asked_ms = now_ms();
    let image_data = match picked.read().await {
        Ok(image_data) => image_data,
        Err(failure) => return Phase::Failed(Some(picked), failure),
    };
    match classifier
        .classify(image_data, ClassifyOptions::default())
        .await
    {
        Ok(answer) => Phase::Answered(picked, answer, now_ms() - asked_ms),
        Err(error) => {
            let failure = if is_refused_token(classifier, &error) {
                Failure::TokenRefused
            } else {
                Failure::call(&picked.name(), &error)
            };
            Phase::Failed(Some(picked), failure)
        }
    }
}

fn is_refused_token(classifier: &Classifier, error: &CallError) -> bool {
    classifier.has_token() && error.reason() == ErrorReason::Unauthenticated
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}
