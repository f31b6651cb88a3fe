//! The result panel: the answer, progress, or why there is no answer; and earlier answers.

pub(crate) mod answer;
mod bars;
pub(crate) mod correction;
mod details;
mod failure_note;
pub(crate) mod history;
pub(crate) mod outcome;
mod progress;
pub(crate) mod synonyms;
mod token_form;
