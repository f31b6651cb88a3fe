//! What a node of the graph is for the planner.

use crate::graph::FoundBlock;

/// Whether a node is a step of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// It is.
    Layer,
    /// It is computed in the step of a later node.
    Inside,
    /// It is the last node of a block, which is one step.
    Last(FoundBlock),
}
