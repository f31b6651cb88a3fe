pub(crate) mod correction;
pub(crate) mod history;
pub(crate) mod models;
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
        correction::CorrectionState,
        history::{Entry, History},
        models::Models,
        phase::Phase,
        request::{Pending, RequestConfig},
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
    models: Models,
    history: History,
    correction: RwSignal<CorrectionState>,
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
        let classifier = StoredValue::new_local(classifier);
        let session = Self {
            phase: RwSignal::new_local(Phase::Empty),
            step: RwSignal::new(Step::default()),
            shrinking: RwSignal::new(shrink_switch::remembered()),
            models: Models::new(classifier),
            history: History::new(),
            correction: RwSignal::default(),
            explains: StoredValue::new(true),
            classifier,
            ticket: StoredValue::new_local(None),
        };
        // A link may be open before the models are known.
        Effect::new(move || {
            session.models.offered().track();
            session
                .phase
                .with_untracked(|phase| session.follow_model_of(phase));
        });
        session
    }

    pub(crate) fn phase(self) -> ReadSignal<Phase, LocalStorage> {
        self.phase.read_only()
    }

    /// The server's models, and which of them requests use.
    pub(crate) fn models(self) -> Models {
        self.models
    }

    /// The last answers.
    pub(crate) fn history(self) -> History {
        self.history
    }

    /// The visitor's correction of the answer.
    pub(crate) fn correction(self) -> ReadSignal<CorrectionState> {
        self.correction.read_only()
    }

    /// The progress of the request.
    pub(crate) fn step(self) -> ReadSignal<Step> {
        self.step.read_only()
    }

    /// Whether large images are shrunk before they are sent.
    pub(crate) fn shrinking(self) -> RwSignal<bool> {
        self.shrinking
    }

    /// How a request would be made now.
    pub(crate) fn request_config(self) -> RequestConfig {
        RequestConfig {
            classifier: self.classifier.get_value(),
            options: ClassifyOptions {
                top_k: TOP_MAX,
                model: self.models.chosen(),
                ..ClassifyOptions::default()
            },
            explains: self.explains,
            limits: self.models.limits(),
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
        self.correction.set(CorrectionState::None);
        self.follow_model_of(&phase);
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
        self.show(Phase::Asking(picked.clone()));
        self.start(async move {
            let pending = Pending {
                picked: picked.clone(),
                step: self.step,
            };
            let mut outcomes = request::classify(&config, &[pending]).await;
            let phase = match outcomes.remove(0) {
                Ok((answer, took_ms)) => Phase::Answered(picked, answer, took_ms),
                Err(error) => {
                    self.heed(&error.failure);
                    Phase::Failed(Some(picked), error.failure)
                }
            };
            self.follow_model_of(&phase);
            self.history.add(&phase);
            self.phase.set(phase);
        });
    }

    /// Shows an earlier answer again.
    pub(crate) fn recall(self, entry: &Entry) {
        shared::forget();
        self.show(entry.phase());
    }

    /// Keeps the answer shown in view, to compare others with it.
    pub(crate) fn pin_shown(self) {
        self.history.pin(self.phase.with_untracked(Entry::of));
    }

    /// Has the server keep the image shown, with its correct class.
    pub(crate) fn correct(self, label: String) {
        let Some(picked) = self.phase.with_untracked(|phase| phase.picked().cloned()) else {
            return;
        };
        self.correction.set(CorrectionState::Sending);
        let config = self.request_config();
        spawn_local(async move {
            let state = match request::correct(&config, &picked, &label).await {
                Ok(()) => CorrectionState::Kept(label),
                Err(error) => CorrectionState::Failed(error.failure),
            };
            let shown = self.phase.with_untracked(|phase| phase.picked().cloned());
            if shown.is_some_and(|shown| shown.is(&picked)) {
                self.correction.set(state);
            }
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

    /// Forgets what the server rejected: an access token, or a model that it no longer has.
    pub(crate) fn heed(self, failure: &Failure) {
        if failure.remedy() == Remedy::AccessToken {
            self.forget_token();
        } else if *failure == Failure::ModelMissing {
            self.models.leave_missing();
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
                self.models.learn();
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

    /// Keeps the model in step with what is shown: its description with a result, the choice with a link.
    fn follow_model_of(self, phase: &Phase) {
        match phase {
            Phase::Answered(_, answer, _) => self.models.describe_unless(&answer.model_revision),
            Phase::Shared(shared) => self.models.adopt(shared.model()),
            _ => {}
        }
    }
}

/// The server that the page came from.
fn own_server() -> Classifier {
    let origin = location()
        .origin()
        .expect("a page that was loaded has an origin");
    Classifier::new(&origin).expect("an origin is a URL")
}
