//! The intermediate results of a layer or a block.

use std::mem;

use crate::buffer::Buffer;

/// What a layer or a block writes on its way, on one thread. One serves all that it is long enough for, one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    /// What a matrix product reads, where that is not how the step's input lies in memory: packed pairs, a padded map, the
    /// windows of im2col, or Winograd's transformed tiles. Also outputs in padded rows, before they are copied to the step's
    /// output.
    pub(crate) operands: Buffer,
    /// What a matrix product writes for the next loop of the same step: a block's ring of expanded rows, or the products of
    /// Winograd's tiles.
    pub(crate) products: Buffer,
    /// What a block's depthwise convolution writes.
    pub(crate) depthwise: Buffer,
    /// Means of the channels and their factors, of blocks with squeeze-and-excitation.
    pub(crate) factors: Buffer,
}

/// Elements in each buffer of a [`Scratch`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScratchLen {
    pub(crate) operands: usize,
    pub(crate) products: usize,
    pub(crate) depthwise: usize,
    pub(crate) factors: usize,
}

impl ScratchLen {
    /// `operands` elements, and nothing else.
    pub(crate) fn operands(operands: usize) -> Self {
        Self {
            operands,
            ..Self::default()
        }
    }

    /// Elements in all buffers.
    pub(crate) fn total(&self) -> usize {
        self.operands + self.products + self.depthwise + self.factors
    }

    /// Enough for `self` and for `other`.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            operands: self.operands.max(other.operands),
            products: self.products.max(other.products),
            depthwise: self.depthwise.max(other.depthwise),
            factors: self.factors.max(other.factors),
        }
    }
}

impl Scratch {
    pub(crate) fn new(len: ScratchLen) -> Self {
        Self {
            operands: Buffer::zeroed(len.operands),
            products: Buffer::zeroed(len.products),
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
            operands: self.operands.len(),
            products: self.products.len(),
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
