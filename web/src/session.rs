pub(crate) mod phase;
pub(crate) mod request;
pub(crate) mod request_error;
pub(crate) mod server;
pub(crate) mod shared;
pub(crate) mod step;
pub(crate) mod ticket;

use imageclassifier_client::{Classifier, ClassifyOptions};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    failure::{Failure, Remedy},
    image::{picked::Picked, shrink::Shrinking},
    inputs::{
        address::{self, Address},
        input_file::InputFile,
    },
    session::{
        phase::Phase,
        request::{Pending, RequestConfig},
        server::{Limits, Model},
        step::Step,
        ticket::Ticket,
    },
    settings::{access_token, shrink_switch, view_settings::TOP_MAX},
};

/// The one part of the page that talks to the server. A handle: copies mean the same session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    phase: RwSignal<Phase, LocalStorage>,
    step: RwSignal<Step>,
    shrinking: RwSignal<bool>,
    limits: StoredValue<Limits>,
    model: RwSignal<Model>,
    /// Whether the server makes heatmaps, as far as is known.
    explains: StoredValue<bool>,
    classifier: StoredValue<Classifier, LocalStorage>,
    ticket: StoredValue<Option<Ticket>, LocalStorage>,
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

    /// The progress of the request.
    pub(crate) fn step(self) -> ReadSignal<Step> {
        self.step.read_only()
    }

    /// Whether large images are shrunk before they are sent.
    pub(crate) fn shrinking(self) -> RwSignal<bool> {
        self.shrinking
    }

    /// What the server accepts, as far as it is known.
    pub(crate) fn limits(self) -> Limits {
        self.limits.get_value()
    }

    /// How a request would be made now.
    pub(crate) fn request_config(self) -> RequestConfig {
        RequestConfig {
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

    /// Shows the shared result in the page's address, or that it cannot be read. An address without one removes a shared
    /// result from the page.
    pub(crate) fn show_shared(self) {
        match shared::in_address() {
            Some(Ok(shared)) => self.show(Phase::Shared(shared)),
            Some(Err(shared::Damaged)) => self.show(Phase::Failed(None, Failure::LinkDamaged)),
            None if self.phase.with_untracked(Phase::is_shared) => self.phase.set(Phase::Empty),
            None => {}
        }
    }

    /// Shows another phase and cancels the current request.
    pub(crate) fn show(self, phase: Phase) {
        self.ticket.set_value(None);
        self.learn_model_of(&phase);
        self.phase.set(phase);
    }

    /// Fetches images by their addresses and passes them on like other files.
    pub(crate) fn fetch(self, addresses: Vec<Address>, on_files: Callback<Vec<InputFile>>) {
        shared::forget();
        let site = addresses.iter().find_map(Address::site);
        self.show(Phase::Fetching { site });
        self.start(async move {
            on_files.run(address::fetch_all(addresses).await);
        });
    }

    /// Classifies an image, or shows why it cannot, and cancels the request before it.
    pub(crate) fn classify(self, picked: Result<Picked, Failure>) {
        self.classify_with(self.request_config(), picked);
    }

    fn classify_with(self, config: RequestConfig, picked: Result<Picked, Failure>) {
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
            let pending = Pending {
                picked: picked.clone(),
                step: self.step,
            };
            let mut outcomes = request::classify(&config, &[pending]).await;
            let phase = match outcomes.remove(0) {
                Ok((answer, took_ms)) => Phase::Answered(picked, answer, took_ms),
                Err(error) => {
                    self.forget_rejected_token(&error.failure);
                    Phase::Failed(Some(picked), error.failure)
                }
            };
            self.learn_model_of(&phase);
            self.phase.set(phase);
        });
    }

    /// Replaces the work that is under way.
    fn start(self, work: impl Future<Output = ()> + 'static) {
        let (ticket, work) = Ticket::issue(work);
        self.ticket.set_value(Some(ticket));
        spawn_local(work);
    }

    /// Cancels the current request: the browser aborts it, and the server drops the work.
    pub(crate) fn cancel(self) {
        let picked = self.phase.with_untracked(|phase| phase.picked().cloned());
        self.show(picked.map_or(Phase::Empty, Phase::Cancelled));
    }

    /// Forgets an access token that the server rejected.
    pub(crate) fn forget_rejected_token(self, failure: &Failure) {
        if failure.remedy() == Remedy::AccessToken {
            self.forget_token();
        }
    }

    /// Shrinks the image that is too large and classifies it again.
    pub(crate) fn shrink_and_retry(self) {
        let picked = self.phase.with_untracked(|phase| phase.picked().cloned());
        if let Some(picked) = picked {
            let config = RequestConfig {
                shrinking: Shrinking::All,
                ..self.request_config()
            };
            self.classify_with(config, Ok(picked));
        }
    }

    /// Classifies the same image again.
    pub(crate) fn retry(self) {
        let picked = self.phase.with_untracked(|phase| phase.picked().cloned());
        if let Some(picked) = picked {
            self.classify(Ok(picked));
        }
    }

    /// Sends this token with every request from now on. False if it cannot be a token.
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

    /// Fetches the description of the model again if the answer came from another one.
    fn learn_model_of(self, phase: &Phase) {
        let known = self.model.with_untracked(|model| model.revision.clone());
        if phase
            .answer()
            .is_some_and(|answer| answer.model_revision != known)
        {
            self.learn_model();
        }
    }

    /// Fetches the description of the model. Without it the contract's limits stand; the server checks its own in any case.
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
