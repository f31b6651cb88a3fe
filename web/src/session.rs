use imageclassifier_client::{Answer, CallError, Classifier, ClassifyOptions, ErrorReason};
use leptos::{prelude::*, task::spawn_local};
use web_sys::File;

use crate::{
    access,
    failure::{Failure, Remedy},
    picked::Picked,
    shared::{self, Shared},
    ticket::Ticket,
    viewing::TOP_MAX,
};

/// The contract's own default, until the server has told its limit.
const IMAGE_BYTES_MAX: u64 = 10 << 20;
/// That of EfficientNet-Lite0, until the server has told its own.
const INPUT_SIZE: u32 = 224;

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
    /// Somebody else's answer, from a link.
    Shared(Shared),
}

/// What the server says of its model, as far as it has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) revision: String,
    pub(crate) weights_digest: String,
    /// Version of the preprocessing.
    pub(crate) preprocessing: String,
    pub(crate) input_size: u32,
}

/// The one part of the page that talks to the server. A handle: copies mean the same session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    phase: RwSignal<Phase, LocalStorage>,
    image_bytes_max: RwSignal<u64>,
    model: RwSignal<Model>,
    /// Whether the server draws heatmaps, as far as is known.
    explains: StoredValue<bool>,
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
            Self::Shared(_) => "shared",
        }
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self, Self::Asking(_))
    }

    pub(crate) fn picked(&self) -> Option<&Picked> {
        match self {
            Self::Empty | Self::Shared(_) => None,
            Self::Asking(picked) | Self::Answered(picked, ..) => Some(picked),
            Self::Failed(picked, _) => picked.as_ref(),
        }
    }

    /// The answer about the picture shown.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(_, answer, _) => Some(answer),
            Self::Empty | Self::Asking(_) | Self::Failed(..) | Self::Shared(_) => None,
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
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
            model: RwSignal::new(Model {
                revision: String::new(),
                weights_digest: String::new(),
                preprocessing: String::new(),
                input_size: INPUT_SIZE,
            }),
            explains: StoredValue::new(true),
            classifier: StoredValue::new_local(classifier),
            ticket: StoredValue::new_local(None),
        };
        session.learn_model();
        session
    }

    pub(crate) fn phase(self) -> ReadSignal<Phase, LocalStorage> {
        self.phase.read_only()
    }

    pub(crate) fn model(self) -> ReadSignal<Model> {
        self.model.read_only()
    }

    /// Shows what the page's address tells of somebody else's answer, or that it cannot be read. An address that tells
    /// nothing takes such an answer away.
    pub(crate) fn show_shared(self) {
        match shared::in_address() {
            Some(found) => {
                self.ticket.set_value(None);
                self.phase.set(match found {
                    Ok(shared) => Phase::Shared(shared),
                    Err(shared::Damaged) => Phase::Failed(None, Failure::LinkDamaged),
                });
            }
            None if self.phase.with_untracked(Phase::is_shared) => self.phase.set(Phase::Empty),
            None => {}
        }
    }

    /// Holds a file against the server's limits.
    pub(crate) fn pick(self, file: File) -> Result<Picked, Failure> {
        Picked::file(file, self.image_bytes_max.get_untracked())
    }

    /// Asks about a picture, or says why it cannot; gives up whatever was asked before.
    pub(crate) fn ask(self, picked: Result<Picked, Failure>) {
        shared::forget();
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
            let phase = ask(&classifier, picked, self.explains).await;
            if matches!(&phase, Phase::Failed(_, failure) if failure.remedy() == Remedy::AccessToken)
            {
                self.forget_token();
            }
            self.learn_model_of(&phase);
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
                self.learn_model();
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

    /// Learns anew what the server says of its model where the answer came from another one.
    fn learn_model_of(self, phase: &Phase) {
        let known = self.model.with_untracked(|model| model.revision.clone());
        if phase
            .answer()
            .is_some_and(|answer| answer.model_revision != known)
        {
            self.learn_model();
        }
    }

    /// Without an answer the contract's limits stand; the server checks its own in any case.
    fn learn_model(self) {
        let classifier = self.classifier.get_value();
        spawn_local(async move {
            let Ok(model) = classifier.model("").await else {
                return;
            };
            if let Some(limits) = model.limits {
                self.image_bytes_max.set(limits.image_bytes_max);
            }
            self.model.set(Model {
                revision: model.revision,
                weights_digest: model.weights_digest,
                preprocessing: model.preprocessing.unwrap_or_default().version,
                input_size: model.input_size,
            });
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

async fn ask(classifier: &Classifier, picked: Picked, explains: StoredValue<bool>) -> Phase {
    let asked_ms = now_ms();
    let image_data = match picked.read().await {
        Ok(image_data) => image_data,
        Err(failure) => return Phase::Failed(Some(picked), failure),
    };
    let mut options = ClassifyOptions {
        top_k: TOP_MAX,
        explain: explains.get_value(),
        ..ClassifyOptions::default()
    };
    let mut outcome = classifier
        .classify(image_data.clone(), options.clone())
        .await;
    if let Err(error) = &outcome
        && error.reason() == ErrorReason::ExplainUnsupported
    {
        explains.set_value(false);
        options.explain = false;
        outcome = classifier.classify(image_data, options).await;
    }
    match outcome {
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
