//! The result panel: the answer, progress, or why there is no answer.

pub(crate) mod answer;
mod bars;
mod details;
mod failure_note;
pub(crate) mod outcome;
mod progress;
pub(crate) mod synonyms;
mod time_bar;
mod token_form;
