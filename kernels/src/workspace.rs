//! The buffers of one inference at a time.

use crate::buffer::Buffer;
use crate::head::HeadBuffers;
use crate::{Network, Scratch};

/// Everything a [`Network`] writes while it runs. Make one per thread that runs it, and reuse it.
#[derive(Debug)]
pub struct Workspace {
    /// `[padded_height, padded_width, 3]`.
    pub(crate) picture: Buffer,
    pub(crate) maps: [Buffer; 2],
    /// One for each thread.
    pub(crate) scratch: Vec<Scratch>,
    pub(crate) head: HeadBuffers,
}

impl Workspace {
    /// Buffers to run `network` on one thread.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self::for_threads(network, 1)
    }

    /// Buffers to run `network` on teams of up to `threads` threads.
    #[must_use]
    pub fn for_threads(network: &Network, threads: usize) -> Self {
        let maps = network
            .blocks
            .iter()
            .map(|block| block.config().output().buffer_len());
        let largest = maps.fold(network.stem.output().buffer_len(), usize::max);
        Self {
            picture: Buffer::zeroed(network.stem.padded_len()),
            maps: [Buffer::zeroed(largest), Buffer::zeroed(largest)],
            scratch: (0..threads.max(1))
                .map(|_| Scratch::new(&network.blocks))
                .collect(),
            head: HeadBuffers::new(&network.head),
        }
    }

    /// The picture to run, with the zeros around it: see [`Stem::pad_chw`](crate::Stem::pad_chw),
    /// [`Stem::pad_hwc`](crate::Stem::pad_hwc) and [`Stem::picture_rows`](crate::Stem::picture_rows).
    pub fn picture_mut(&mut self) -> &mut [f32] {
        &mut self.picture
    }

    /// What the head computed in the last run, for [`Head::copy_features`](crate::Head::copy_features).
    #[must_use]
    pub fn head_buffers(&self) -> &HeadBuffers {
        &self.head
    }
}
