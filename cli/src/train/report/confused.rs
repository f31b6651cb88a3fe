use serde::Serialize;

/// A class, another that it is taken for, and how often.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Confused {
    pub(super) label: String,
    pub(super) predicted: String,
    pub(super) count: usize,
}
