//! What a step computes.

use std::fmt::Debug;

use crate::ThreadTeam;

/// One operation for one instruction set, its weights packed.
pub(super) trait Kernel: Debug + Send + Sync {
    /// A short name for the profile.
    fn name(&self) -> &'static str;

    /// Elements that it needs besides its output, on a team of any size.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Computes `output` of `inputs`. Both may be longer than the operation needs.
    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut [f32],
    );
}
