//! Which rows are shown, and in what order.

use std::cmp::Ordering;

use leptos::prelude::RwSignal;

use crate::batch::row::State;

/// Which rows are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StateFilter {
    #[default]
    All,
    Answered,
    Unsure,
    Unknown,
    Failed,
    Cancelled,
    Unfinished,
}

/// The order of the rows. Those without an answer come after those with one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Failed rows, then the others as they were added.
    #[default]
    FailedFirst,
    AsAdded,
    Name,
    Label,
    LowestConfidence,
    HighestConfidence,
    Slowest,
}

/// Which rows the visitor wants to see, and in what order. A handle.
#[derive(Clone, Copy)]
pub(super) struct ViewFilter {
    pub(super) state: RwSignal<StateFilter>,
    pub(super) sort: RwSignal<Sort>,
    pub(super) text: RwSignal<String>,
}

/// The parts of a row that filters and sorting look at.
pub(super) struct Facts<'a> {
    pub(super) path: &'a str,
    pub(super) state: &'a State,
}

impl StateFilter {
    pub(super) const ALL: [Self; 7] = [
        Self::All,
        Self::Answered,
        Self::Unsure,
        Self::Unknown,
        Self::Failed,
        Self::Cancelled,
        Self::Unfinished,
    ];

    fn admits(self, state: &State) -> bool {
        match self {
            Self::All => true,
            Self::Answered => state.is_answered(),
            Self::Unsure => state.is_unsure(),
            Self::Unknown => state.is_unknown(),
            Self::Failed => state.is_failed(),
            Self::Cancelled => state.is_cancelled(),
            Self::Unfinished => state.is_unfinished(),
        }
    }
}

impl Sort {
    pub(super) const ALL: [Self; 7] = [
        Self::FailedFirst,
        Self::AsAdded,
        Self::Name,
        Self::Label,
        Self::LowestConfidence,
        Self::HighestConfidence,
        Self::Slowest,
    ];

    /// Ties stay in the order of coming: the sort is stable.
    pub(super) fn compare(self, one: &Facts<'_>, other: &Facts<'_>) -> Ordering {
        match self {
            Self::FailedFirst => other.state.is_failed().cmp(&one.state.is_failed()),
            Self::AsAdded => Ordering::Equal,
            Self::Name => one.path.cmp(other.path),
            Self::Label => answered_first(one, other, |one, other| one.0.cmp(other.0)),
            Self::LowestConfidence => {
                answered_first(one, other, |one, other| one.1.total_cmp(&other.1))
            }
            Self::HighestConfidence => {
                answered_first(one, other, |one, other| other.1.total_cmp(&one.1))
            }
            Self::Slowest => answered_first(one, other, |one, other| other.2.total_cmp(&one.2)),
        }
    }
}

/// Whether a row is shown: by its state, and by `text`, in lower case, in its name or label.
pub(super) fn admits(filter: StateFilter, text: &str, facts: &Facts<'_>) -> bool {
    let contains = |part: &str| lower_case(part).contains(text);
    let matches = || match facts.state {
        State::Answered(answer, _) => contains(&answer.label) || contains(facts.path),
        _ => contains(facts.path),
    };
    filter.admits(facts.state) && (text.is_empty() || matches())
}

/// Letter by letter. `str::to_lowercase` would add tables for the Greek final sigma, which a search should not distinguish.
pub(super) fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

type Answered<'a> = (&'a str, f32, f64);

fn answered_first(
    one: &Facts<'_>,
    other: &Facts<'_>,
    compare: impl Fn(Answered<'_>, Answered<'_>) -> Ordering,
) -> Ordering {
    match (answered(one), answered(other)) {
        (Some(one), Some(other)) => compare(one, other),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

fn answered<'a>(facts: &Facts<'a>) -> Option<Answered<'a>> {
    match facts.state {
        State::Answered(answer, took_ms) => Some((&answer.label, answer.confidence, *took_ms)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use imageclassifier_client::Answer;

    use super::*;
    use crate::failure::Failure;

    fn answered(label: &str, confidence: f32, took_ms: f64) -> State {
        let answer = Answer {
            label: label.to_owned(),
            confidence,
            ..Answer::default()
        };
        State::Answered(answer.into(), took_ms)
    }

    fn rows() -> Vec<(&'static str, State)> {
        let unknown = Answer {
            label: "zebra".to_owned(),
            confidence: 0.15,
            unknown: true,
            ..Answer::default()
        };
        vec![
            ("c.jpg", State::Waiting),
            ("Dog.jpg", answered("tabby", 0.9, 30.0)),
            ("a.jpg", answered("espresso", 0.1, 90.0)),
            (
                "b.jpg",
                State::Failed(std::sync::Arc::new(Failure::NoAnswer.into())),
            ),
            ("e.jpg", answered("tabby", 0.5, 10.0)),
            ("f.jpg", State::Cancelled),
            ("g.jpg", State::Answered(unknown.into(), 20.0)),
        ]
    }

    fn shown(show: StateFilter, sort: Sort, wanted: &str) -> String {
        let rows = rows();
        let mut facts: Vec<_> = rows
            .iter()
            .map(|(path, state)| Facts { path, state })
            .filter(|facts| admits(show, wanted, facts))
            .collect();
        facts.sort_by(|one, other| sort.compare(one, other));
        facts.iter().map(|facts| &facts.path[..1]).collect()
    }

    #[test]
    fn rows_are_shown_by_what_became_of_them() {
        let cases = [
            (StateFilter::All, "cDabefg"),
            (StateFilter::Answered, "Daeg"),
            (StateFilter::Unsure, "a"),
            (StateFilter::Unknown, "g"),
            (StateFilter::Failed, "b"),
            (StateFilter::Cancelled, "f"),
            (StateFilter::Unfinished, "c"),
        ];
        for (show, expected) in cases {
            assert_eq!(shown(show, Sort::AsAdded, ""), expected, "{show:?}");
        }
    }

    #[test]
    fn rows_without_a_result_come_last_and_ties_stay_as_added() {
        let cases = [
            (Sort::FailedFirst, "bcDaefg"),
            (Sort::AsAdded, "cDabefg"),
            (Sort::Name, "Dabcefg"),
            (Sort::Label, "aDegcbf"),
            (Sort::LowestConfidence, "ageDcbf"),
            (Sort::HighestConfidence, "Degacbf"),
            (Sort::Slowest, "aDgecbf"),
        ];
        for (sort, expected) in cases {
            assert_eq!(shown(StateFilter::All, sort, ""), expected, "{sort:?}");
        }
    }

    #[test]
    fn rows_are_found_by_name_or_label_in_any_case() {
        for (wanted, expected) in [
            ("tabby", "De"),
            ("dog", "D"),
            (".jpg", "cDabefg"),
            ("zebra", "g"),
            ("ocelot", ""),
        ] {
            assert_eq!(
                shown(StateFilter::All, Sort::AsAdded, wanted),
                expected,
                "{wanted}"
            );
        }
        assert_eq!(shown(StateFilter::Failed, Sort::AsAdded, "tabby"), "");
    }
}
