use std::{rc::Rc, sync::Arc};

use imageclassifier_client::Answer;
use leptos::prelude::*;
use web_sys::File;

use crate::{
    confidence::is_unsure,
    failure::{Failure, Remedy},
    image::picked::Picked,
    inputs::found::Found,
    session::{
        Phase,
        request::{Fault, Step},
        ticket::Ticket,
    },
};

/// One picture of the list. A handle: copies mean the same row.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// Its place in the order of coming.
    pub(super) place: usize,
    pub(super) state: RwSignal<State, LocalStorage>,
    pub(super) step: RwSignal<Step>,
    path: StoredValue<Arc<str>>,
    file: StoredValue<Result<File, Failure>, LocalStorage>,
    call: StoredValue<Option<Call>, LocalStorage>,
}

/// A call that asks about one or more rows. It is given up once all of them have let go of it.
#[derive(Clone)]
pub(super) struct Call {
    /// Of all calls of the page.
    number: usize,
    _ticket: Rc<Ticket>,
}

/// What became of it so far.
#[derive(Clone)]
pub(super) enum State {
    Waiting,
    Asking,
    Answered(Arc<Answer>, f64),
    Failed(Arc<Fault>),
    Cancelled,
}

impl Call {
    pub(super) fn new(number: usize, ticket: Ticket) -> Self {
        let _ticket = Rc::new(ticket);
        Self { number, _ticket }
    }
}

impl Row {
    /// It lives as long as the owner it is made in.
    pub(super) fn new(place: usize, found: Found) -> Self {
        let state = match &found.file {
            Ok(_) => State::Waiting,
            Err(failure) => State::Failed(Arc::new(failure.clone().into())),
        };
        Self {
            place,
            state: RwSignal::new_local(state),
            step: RwSignal::new(Step::Queued),
            path: StoredValue::new(found.path.into()),
            file: StoredValue::new_local(found.file),
            call: StoredValue::new_local(None),
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

    /// It is asked about in `call` from now on.
    pub(super) fn join(self, call: Call) {
        self.call.set_value(Some(call));
        self.state.set(State::Asking);
    }

    /// Whether it is still asked about in the call of this number.
    pub(super) fn is_in(self, number: usize) -> bool {
        self.call
            .with_value(|call| call.as_ref().is_some_and(|call| call.number == number))
    }

    pub(super) fn wait(self) {
        self.step.set(Step::Queued);
        self.state.set(State::Waiting);
    }

    pub(super) fn settle(self, state: State) {
        self.call.set_value(None);
        self.state.set(state);
    }

    pub(super) fn cancel(self) {
        if self.state.with_untracked(State::is_unfinished) {
            self.settle(State::Cancelled);
        }
    }

    /// As the answer card shows it, with `picked` being this row's picture.
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
            State::Failed(fault) => Phase::Failed(Some(picked), fault.failure.clone()),
            State::Cancelled => {
                let name = picked.name();
                Phase::Failed(Some(picked), Failure::GivenUp { name })
            }
        }
    }
}

impl State {
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(self, Self::Waiting | Self::Asking)
    }

    /// Whether asking once more may end otherwise.
    pub(super) fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Waiting | Self::Asking | Self::Answered(..) => false,
            Self::Failed(fault) => {
                matches!(fault.remedy(), Remedy::TryAgain | Remedy::AccessToken)
            }
            Self::Cancelled => true,
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Cancelled)
    }

    pub(super) fn is_unsure(&self) -> bool {
        matches!(self, Self::Answered(answer, _) if is_unsure(answer.confidence))
    }

    pub(super) fn is_answered(&self) -> bool {
        matches!(self, Self::Answered(..))
    }
}
