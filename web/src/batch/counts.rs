use leptos::prelude::*;

use crate::{
    batch::row::{Row, State},
    texts::Language,
};

/// How many rows are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(super) all: usize,
    pub(super) answered: usize,
    pub(super) failed: usize,
    pub(super) cancelled: usize,
    pub(super) worth_retrying: usize,
}

impl Counts {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut counts = Self::default();
        for row in rows {
            row.state.with_untracked(|state| counts.add(state));
        }
        counts
    }

    fn add(&mut self, state: &State) {
        self.all += 1;
        self.answered += usize::from(state.is_answered());
        self.failed += usize::from(state.is_failed());
        self.cancelled += usize::from(state.is_cancelled());
        self.worth_retrying += usize::from(state.is_worth_retrying());
    }

    pub(super) fn finished(self) -> usize {
        self.answered + self.failed + self.cancelled
    }

    pub(crate) fn is_unfinished(self) -> bool {
        self.finished() < self.all
    }

    pub(crate) fn sentence(self, language: Language) -> String {
        language.so_many_done(self.finished(), self.all, self.failed, self.cancelled)
    }

    /// Screen readers announce each tenth of the batch rather than each image.
    pub(super) fn tenth(self) -> (usize, usize) {
        (self.all, self.finished() * 10 / self.all.max(1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::failure::Failure;

    #[test]
    fn cancelled_rows_are_finished_but_not_failed() {
        let mut counts = Counts::default();
        for state in [
            State::Waiting,
            State::Failed(Arc::new(Failure::NoAnswer.into())),
            State::Cancelled,
            State::Cancelled,
        ] {
            counts.add(&state);
        }
        assert_eq!((counts.all, counts.finished()), (4, 3));
        assert_eq!((counts.failed, counts.cancelled), (1, 2));
        assert_eq!(counts.worth_retrying, 3);
        assert_eq!(
            counts.sentence(Language::English),
            "3 of 4 images done, 1 failed, 2 cancelled"
        );
    }
}
