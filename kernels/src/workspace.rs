//! The buffers of one inference at a time.

use crate::buffer::Buffer;
use crate::head::HeadBuffers;
use crate::scratch::Scratch;

/// Everything that one thread writes while it runs a network. [`Network::workspace`](crate::Network::workspace) makes
/// one; make one per thread that runs the network, and reuse it.
///
/// The helpers of a [`ThreadTeam`](crate::ThreadTeam) write into buffers of the team, so that the size of a workspace
/// does not depend on the number of threads.
#[derive(Debug)]
pub struct Workspace {
    /// `[padded_height, padded_width, 3]`.
    pub(crate) image: Buffer,
    pub(crate) maps: [Buffer; 2],
    pub(crate) scratch: Scratch,
    pub(crate) head: HeadBuffers,
}

impl Workspace {
    /// The image to run, with the zeros around it: see [`Stem::pad_chw`](crate::Stem::pad_chw),
    /// [`Stem::pad_hwc`](crate::Stem::pad_hwc) and [`Stem::image_rows`](crate::Stem::image_rows).
    pub fn image_mut(&mut self) -> &mut [f32] {
        &mut self.image
    }

    /// What the head computed in the last run, for [`Head::copy_features`](crate::Head::copy_features).
    #[must_use]
    pub fn head_buffers(&self) -> &HeadBuffers {
        &self.head
    }
}
