mod percent;
pub(crate) mod request;
pub(crate) mod server;
pub(crate) mod shared;
pub(crate) mod ticket;

use imageclassifier_client::{Answer, Classifier, ClassifyOptions};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    failure::{Failure, Remedy},
    image::{picked::Picked, shrink::Shrinking},
    inputs::{
        address::{self, Address},
        found::Found,
    },
    session::{
        request::{Asked, Step, Terms},
        server::{Limits, Model},
        shared::Shared,
        ticket::Ticket,
    },
    settings::{access_token, shrink_switch, viewing::TOP_MAX},
};

/// Where the page is between a picture and its answer.
#[derive(Clone)]
pub(crate) enum Phase {
    /// Nothing picked yet.
    Empty,
    /// Images are fetched by their addresses, from a site unless the addresses hold them.
    Fetching { site: Option<String> },
    /// The server is being asked about this picture.
    Asking(Picked),
    /// The server has answered, so many milliseconds after the picture was picked.
    Answered(Picked, Answer, f64),
    /// No answer; no picture either where it was refused before anyone was asked.
    Failed(Option<Picked>, Failure),
    /// Somebody else's answer, from a link.
    Shared(Shared),
}

/// The one part of the page that talks to the server. A handle: copies mean the same session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    phase: RwSignal<Phase, LocalStorage>,
    step: RwSignal<Step>,
    shrinking: RwSignal<bool>,
    limits: StoredValue<Limits>,
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
            Self::Fetching { .. } | Self::Asking(_) => "asking",
            Self::Answered(..) => "answered",
            Self::Failed(..) => "failed",
            Self::Shared(_) => "shared",
        }
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self, Self::Fetching { .. } | Self::Asking(_))
    }

    pub(crate) fn picked(&self) -> Option<&Picked> {
        match self {
            Self::Empty | Self::Fetching { .. } | Self::Shared(_) => None,
            Self::Asking(picked) | Self::Answered(picked, ..) => Some(picked),
            Self::Failed(picked, _) => picked.as_ref(),
        }
    }

    /// The answer about the picture shown.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(_, answer, _) => Some(answer),
            Self::Empty
            | Self::Fetching { .. }
            | Self::Asking(_)
            | Self::Failed(..)
            | Self::Shared(_) => None,
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }
}

impl Session {
    /// A session with the server that the page came from.
    pub(crate) fn new() -> Self {
        let remembered = access_token::remembered().map(|token| own_server().with_token(&token));
        let classifier = remembered.and_then(Result::ok).unwrap_or_else(own_server);
        let session = Self {
            phase: RwSignal::new_local(Phase::Empty),
            step: RwSignal::new(Step::default()),
            shrinking: RwSignal::new(shrink_switch::remembered()),
            limits: StoredValue::new(Limits::default()),
            model: RwSignal::new(Model::default()),
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

    /// How far the call is.
    pub(crate) fn step(self) -> ReadSignal<Step> {
        self.step.read_only()
    }

    /// Whether large pictures are made smaller before they are sent.
    pub(crate) fn shrinking(self) -> RwSignal<bool> {
        self.shrinking
    }

    /// What a call of now would be made with.
    pub(crate) fn terms(self) -> Terms {
        Terms {
            classifier: self.classifier.get_value(),
            options: ClassifyOptions {
                top_k: TOP_MAX,
                ..ClassifyOptions::default()
            },
            explains: self.explains,
            limits: self.limits.get_value(),
            shrinking: if self.shrinking.get_untracked() {
                Shrinking::Large
            } else {
                Shrinking::Off
            },
        }
    }

    /// Shows what the page's address tells of somebody else's answer, or that it cannot be read. An address that tells
    /// nothing takes such an answer away.
    pub(crate) fn show_shared(self) {
        match shared::in_address() {
            Some(Ok(shared)) => self.show(Phase::Shared(shared)),
            Some(Err(shared::Damaged)) => self.show(Phase::Failed(None, Failure::LinkDamaged)),
            None if self.phase.with_untracked(Phase::is_shared) => self.phase.set(Phase::Empty),
            None => {}
        }
    }

    /// Shows what became of a picture elsewhere; gives up what was asked here.
    pub(crate) fn show(self, phase: Phase) {
        self.ticket.set_value(None);
        self.learn_model_of(&phase);
        self.phase.set(phase);
    }

    /// Fetches images of other sites; then they are files like others.
    pub(crate) fn fetch(self, addresses: Vec<Address>, on_files: Callback<Vec<Found>>) {
        shared::forget();
        let site = addresses.iter().find_map(Address::site);
        self.show(Phase::Fetching { site });
        self.start(async move {
            on_files.run(address::fetch_all(addresses).await);
        });
    }

    /// Asks about a picture, or says why it cannot; gives up whatever was asked before.
    pub(crate) fn ask(self, picked: Result<Picked, Failure>) {
        self.ask_on(self.terms(), picked);
    }

    fn ask_on(self, terms: Terms, picked: Result<Picked, Failure>) {
        shared::forget();
        let picked = match picked {
            Ok(picked) => picked,
            Err(failure) => {
                self.show(Phase::Failed(None, failure));
                return;
            }
        };
        self.phase.set(Phase::Asking(picked.clone()));
        self.start(async move {
            let asked = Asked {
                picked: picked.clone(),
                step: self.step,
            };
            let mut outcomes = request::ask(&terms, &[asked]).await;
            let phase = match outcomes.remove(0) {
                Ok((answer, took_ms)) => Phase::Answered(picked, answer, took_ms),
                Err(fault) => {
                    self.heed(&fault.failure);
                    Phase::Failed(Some(picked), fault.failure)
                }
            };
            self.learn_model_of(&phase);
            self.phase.set(phase);
        });
    }

    /// In place of whatever was under way.
    fn start(self, work: impl Future<Output = ()> + 'static) {
        let (ticket, work) = Ticket::issue(work);
        self.ticket.set_value(Some(ticket));
        spawn_local(work);
    }

    /// Gives up what is under way: the browser aborts the request, and the server drops the work.
    pub(crate) fn cancel(self) {
        let Some(picked) = self.phase.with_untracked(|phase| phase.picked().cloned()) else {
            self.show(Phase::Empty);
            return;
        };
        let name = picked.name();
        self.show(Phase::Failed(Some(picked), Failure::GivenUp { name }));
    }

    /// A token that was refused is no use any more.
    pub(crate) fn heed(self, failure: &Failure) {
        if failure.remedy() == Remedy::AccessToken {
            self.forget_token();
        }
    }

    /// Asks once more about the picture that is too large, made smaller this time.
    pub(crate) fn shrink_and_retry(self) {
        let picked = self.phase.with_untracked(|phase| phase.picked().cloned());
        if let Some(picked) = picked {
            let terms = Terms {
                shrinking: Shrinking::All,
                ..self.terms()
            };
            self.ask_on(terms, Ok(picked));
        }
    }

    /// Asks once more about the picture whose call failed.
    pub(crate) fn retry(self) {
        let picked = self.phase.with_untracked(|phase| phase.picked().cloned());
        if let Some(picked) = picked {
            self.ask(Ok(picked));
        }
    }

    /// Shows this token to the server from now on; false where it can be none.
    pub(crate) fn use_token(self, token: &str) -> bool {
        match own_server().with_token(token) {
            Ok(classifier) => {
                access_token::remember(token);
                self.classifier.set_value(classifier);
                self.learn_model();
                true
            }
            Err(_) => {
                self.phase.update(|phase| {
                    let picked = phase.picked().cloned();
                    *phase = Phase::Failed(picked, Failure::TokenUnusable);
                });
                false
            }
        }
    }

    fn forget_token(self) {
        access_token::forget();
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
                self.limits.set_value(Limits {
                    image_bytes_max: limits.image_bytes_max,
                    batch_images_max: limits.batch_images_max.max(1) as usize,
                    media_types: limits.media_types.into(),
                });
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
