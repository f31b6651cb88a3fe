//! What a step computes.

use std::fmt::Debug;

use crate::ThreadTeam;
use crate::scratch::{Scratch, ScratchLen};

/// What a step counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KernelKind {
    /// One operation of the graph, or a copy to another layout.
    Operation,
    /// An inverted-residual block.
    FusedBlock,
    /// An operation in the reference loops, for want of a kernel.
    Reference,
}

/// One operation for one instruction set, its weights packed.
pub(super) trait Kernel: Debug + Send + Sync {
    /// A short name for the profile.
    fn name(&self) -> &'static str;

    fn kind(&self) -> KernelKind {
        KernelKind::Operation
    }

    /// What the calling thread needs besides its output, on a team of any size.
    fn scratch_len(&self) -> ScratchLen {
        ScratchLen::default()
    }

    /// What each helper of a team needs.
    fn helper_scratch_len(&self) -> ScratchLen {
        ScratchLen::default()
    }

    /// Computes `output` of `inputs`. Both may be longer than the operation needs.
    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    );
}
