//! The intermediate results of a layer or a block.

use std::mem;

use crate::buffer::Buffer;

/// What a layer or a block writes on its way, on one thread. One serves all that it is long enough for, one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The input as it is multiplied, where that is not how it lies in memory: in packed pairs, with its padding, or as
    /// transformed tiles.
    pub(crate) packed: Buffer,
    /// Rows of an expanded map, or the products of transformed tiles.
    pub(crate) ring: Buffer,
    pub(crate) depthwise: Buffer,
    /// Means of the channels and their factors, of blocks with squeeze-and-excitation.
    pub(crate) factors: Buffer,
}

/// Elements in each buffer of a [`Scratch`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScratchLen {
    pub(crate) packed: usize,
    pub(crate) ring: usize,
    pub(crate) depthwise: usize,
    pub(crate) factors: usize,
}

impl ScratchLen {
    /// `packed` elements of the input.
    pub(crate) fn packed(packed: usize) -> Self {
        Self {
            packed,
            ..Self::default()
        }
    }

    /// Elements in all buffers.
    pub(crate) fn total(&self) -> usize {
        self.packed + self.ring + self.depthwise + self.factors
    }

    /// Enough for `self` and for `other`.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            packed: self.packed.max(other.packed),
            ring: self.ring.max(other.ring),
            depthwise: self.depthwise.max(other.depthwise),
            factors: self.factors.max(other.factors),
        }
    }
}

impl Scratch {
    pub(crate) fn new(len: ScratchLen) -> Self {
        Self {
            packed: Buffer::zeroed(len.packed),
            ring: Buffer::zeroed(len.ring),
            depthwise: Buffer::zeroed(len.depthwise),
            factors: Buffer::zeroed(len.factors),
        }
    }

    /// Hands out the depthwise result and the factors, and the rest beside them.
    pub(crate) fn lend(&mut self, work: impl FnOnce(&mut [f32], &mut [f32], &mut Self)) {
        let mut depthwise = mem::take(&mut self.depthwise);
        let mut factors = mem::take(&mut self.factors);
        work(&mut depthwise, &mut factors, self);
        self.depthwise = depthwise;
        self.factors = factors;
    }

    fn len(&self) -> ScratchLen {
        ScratchLen {
            packed: self.packed.len(),
            ring: self.ring.len(),
            depthwise: self.depthwise.len(),
            factors: self.factors.len(),
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
