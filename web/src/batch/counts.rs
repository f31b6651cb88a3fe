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
    /// Of the answered ones.
    pub(super) unknown: usize,
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
        self.unknown += usize::from(state.is_unknown());
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
        language.so_many_done(
            self.finished(),
            self.all,
            self.unknown,
            self.failed,
            self.cancelled,
        )
    }

    /// Whether screen readers announce this after `noted`: each tenth of the batch rather than each image, and every end. Asked
    /// again, a batch may end twice without a tenth between.
    pub(super) fn is_news_after(self, noted: Self) -> bool {
        let tenth = |counts: Self| (counts.all, counts.finished() * 10 / counts.all.max(1));
        tenth(self) != tenth(noted) || (!self.is_unfinished() && self != noted)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use imageclassifier_client::Answer;

    use super::*;
    use crate::failure::Failure;

    #[test]
    fn another_end_is_news() {
        let counts = |answered, unknown| Counts {
            all: 40,
            answered,
            unknown,
            ..Counts::default()
        };
        assert!(!counts(11, 0).is_news_after(counts(10, 0)));
        assert!(counts(12, 0).is_news_after(counts(11, 0)));
        assert!(counts(40, 1).is_news_after(counts(40, 0)));
        assert!(!counts(40, 1).is_news_after(counts(40, 1)));
    }

    #[test]
    fn cancelled_rows_are_finished_but_not_failed() {
        let unknown = Answer {
            unknown: true,
            ..Answer::default()
        };
        let mut counts = Counts::default();
        for state in [
            State::Waiting,
            State::Answered(unknown.into(), 1.0),
            State::Failed(Arc::new(Failure::NoAnswer.into())),
            State::Cancelled,
            State::Cancelled,
        ] {
            counts.add(&state);
        }
        assert_eq!((counts.all, counts.finished()), (5, 4));
        assert_eq!((counts.failed, counts.cancelled), (1, 2));
        assert_eq!(counts.worth_retrying, 3);
        assert_eq!(
            counts.sentence(Language::English),
            "4 of 5 images done, 1 unknown, 1 failed, 2 cancelled"
        );
    }
}
