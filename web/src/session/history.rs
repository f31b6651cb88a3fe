use std::rc::Rc;

use imageclassifier_client::Answer;
use leptos::prelude::*;

use crate::{image::picked::Picked, session::phase::Phase};

/// Each holds an image in the browser's memory and an answer with its heatmaps, about 10 kB.
const ENTRIES_MAX: usize = 12;

/// An image and its answer.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) picked: Picked,
    pub(crate) answer: Rc<Answer>,
    took_ms: f64,
}

/// The last answers of this page, newest first, and the one that others are compared with. They are kept in memory, until the
/// page is closed. A handle: copies mean the same history.
#[derive(Clone, Copy)]
pub(crate) struct History {
    entries: RwSignal<Vec<Entry>, LocalStorage>,
    pinned: RwSignal<Option<Entry>, LocalStorage>,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            entries: RwSignal::new_local(Vec::new()),
            pinned: RwSignal::new_local(None),
        }
    }

    /// Adds an answer; the oldest one goes.
    pub(super) fn add(self, phase: &Phase) {
        if let Some(entry) = Entry::of(phase) {
            self.entries.update(|entries| {
                entries.insert(0, entry);
                entries.truncate(ENTRIES_MAX);
            });
        }
    }

    pub(crate) fn entries(self) -> ReadSignal<Vec<Entry>, LocalStorage> {
        self.entries.read_only()
    }

    pub(crate) fn pinned(self) -> ReadSignal<Option<Entry>, LocalStorage> {
        self.pinned.read_only()
    }

    /// Keeps this one in view; None removes it.
    pub(crate) fn pin(self, entry: Option<Entry>) {
        self.pinned.set(entry);
    }
}

impl Entry {
    /// What is shown, if that is an answer.
    pub(crate) fn of(phase: &Phase) -> Option<Self> {
        match phase {
            Phase::Answered(picked, answer, took_ms) => Some(Self {
                picked: picked.clone(),
                answer: Rc::new(answer.clone()),
                took_ms: *took_ms,
            }),
            _ => None,
        }
    }

    /// To show it again.
    pub(crate) fn phase(&self) -> Phase {
        Phase::Answered(
            self.picked.clone(),
            Answer::clone(&self.answer),
            self.took_ms,
        )
    }
}
