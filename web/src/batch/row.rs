use std::{rc::Rc, sync::Arc};

use imageclassifier_client::Answer;
use leptos::prelude::*;
use web_sys::File;

use crate::{
    confidence::Certainty,
    failure::{Failure, Remedy},
    image::picked::Picked,
    inputs::input_file::InputFile,
    session::{phase::Phase, request_error::RequestError, step::Step, ticket::Ticket},
};

/// One image of a batch. A handle: copies mean the same row.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// Its place in the order in which files were added.
    pub(super) place: usize,
    pub(super) state: RwSignal<State, LocalStorage>,
    pub(super) step: RwSignal<Step>,
    path: StoredValue<Arc<str>>,
    file: StoredValue<Result<File, Failure>, LocalStorage>,
    request: StoredValue<Option<RowRequest>, LocalStorage>,
}

/// A request for one or more rows. It is aborted once none of them needs it any more.
#[derive(Clone)]
pub(super) struct RowRequest {
    /// Of all requests of the batch.
    number: usize,
    _ticket: Rc<Ticket>,
}

/// The state of a row.
#[derive(Clone)]
pub(super) enum State {
    Waiting,
    Asking,
    Answered(Arc<Answer>, f64),
    Failed(Arc<RequestError>),
    Cancelled,
}

impl RowRequest {
    pub(super) fn new(number: usize, ticket: Ticket) -> Self {
        let _ticket = Rc::new(ticket);
        Self { number, _ticket }
    }
}

impl Row {
    /// Its signals live as long as the current owner.
    pub(super) fn new(place: usize, file: InputFile) -> Self {
        let state = match &file.file {
            Ok(_) => State::Waiting,
            Err(failure) => State::Failed(Arc::new(failure.clone().into())),
        };
        Self {
            place,
            state: RwSignal::new_local(state),
            step: RwSignal::new(Step::Queued),
            path: StoredValue::new(file.path.into()),
            file: StoredValue::new_local(file.file),
            request: StoredValue::new_local(None),
        }
    }

    pub(super) fn path(self) -> Arc<str> {
        self.path.get_value()
    }

    pub(super) fn file(self) -> Result<File, Failure> {
        self.file.get_value()
    }

    pub(super) fn step(self) -> ReadSignal<Step> {
        self.step.read_only()
    }

    pub(super) fn is_waiting(self) -> bool {
        self.state
            .with_untracked(|state| matches!(state, State::Waiting))
    }

    /// Makes it a part of `request`.
    pub(super) fn assign(self, request: RowRequest) {
        self.request.set_value(Some(request));
        self.state.set(State::Asking);
    }

    /// Whether it is still a part of the request of this number.
    pub(super) fn is_in(self, number: usize) -> bool {
        self.request.with_value(|request| {
            request
                .as_ref()
                .is_some_and(|request| request.number == number)
        })
    }

    pub(super) fn wait(self) {
        self.step.set(Step::Queued);
        self.state.set(State::Waiting);
    }

    /// As if it had just been added: a request under way is no longer for this row. A file that cannot be read stays failed.
    pub(super) fn restart(self) {
        if self.file.with_value(Result::is_ok) {
            self.settle(State::Cancelled);
            self.wait();
        }
    }

    pub(super) fn settle(self, state: State) {
        self.request.set_value(None);
        self.state.set(state);
    }

    pub(super) fn cancel(self) {
        if self.state.with_untracked(State::is_unfinished) {
            self.settle(State::Cancelled);
        }
    }

    /// As the result panel shows it, with `picked` being this row's image.
    pub(super) fn phase(self, picked: Result<Picked, Failure>) -> Phase {
        let picked = match picked {
            Ok(picked) => picked,
            Err(failure) => return Phase::Failed(None, failure),
        };
        match self.state.get() {
            State::Waiting | State::Asking => Phase::Asking(picked),
            State::Answered(answer, took_ms) => {
                Phase::Answered(picked, Answer::clone(&answer), took_ms)
            }
            State::Failed(error) => Phase::Failed(Some(picked), error.failure.clone()),
            State::Cancelled => Phase::Cancelled(picked),
        }
    }
}

impl State {
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(self, Self::Waiting | Self::Asking)
    }

    /// Whether a retry can help.
    pub(super) fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Waiting | Self::Asking | Self::Answered(..) => false,
            Self::Failed(error) => {
                matches!(error.remedy(), Remedy::TryAgain | Remedy::AccessToken)
            }
            Self::Cancelled => true,
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    pub(super) fn is_unsure(&self) -> bool {
        self.has_certainty(Certainty::Unsure)
    }

    /// Whether the image resembles none of the model's classes.
    pub(super) fn is_unknown(&self) -> bool {
        self.has_certainty(Certainty::Unknown)
    }

    fn has_certainty(&self, certainty: Certainty) -> bool {
        matches!(self, Self::Answered(answer, _) if Certainty::of(answer) == certainty)
    }

    pub(super) fn is_answered(&self) -> bool {
        matches!(self, Self::Answered(..))
    }
}
