//! The intermediate results of a block.

use crate::buffer::Buffer;

/// What a block writes on its way, on one thread. One serves all blocks that it is long enough for, one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rows of the input in packed pairs, where `expand_conv` reads those.
    pub(crate) packed: Buffer,
    pub(crate) ring: Buffer,
    pub(crate) depthwise: Buffer,
}

/// Elements in each buffer of a [`Scratch`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScratchLen {
    pub(crate) packed: usize,
    pub(crate) ring: usize,
    pub(crate) depthwise: usize,
}

impl ScratchLen {
    /// Enough for `self` and for `other`.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            packed: self.packed.max(other.packed),
            ring: self.ring.max(other.ring),
            depthwise: self.depthwise.max(other.depthwise),
        }
    }
}

impl Scratch {
    pub(crate) fn new(len: ScratchLen) -> Self {
        Self {
            packed: Buffer::zeroed(len.packed),
            ring: Buffer::zeroed(len.ring),
            depthwise: Buffer::zeroed(len.depthwise),
        }
    }

    fn len(&self) -> ScratchLen {
        ScratchLen {
            packed: self.packed.len(),
            ring: self.ring.len(),
            depthwise: self.depthwise.len(),
        }
    }

    /// Makes each buffer at least as long as `len` says. Allocates only where one is shorter.
    pub(crate) fn grow(&mut self, len: ScratchLen) {
        let grown = self.len().max(len);
        if grown != self.len() {
            *self = Self::new(grown);
        }
    }
}
