//! Channels times factors. Plain Rust: the compiler vectorises it for the instruction set it is compiled for.

use super::{Operand, Operation, Tiles};

/// `values[pixel, channel] *= factors[channel]`.
pub(crate) struct Scale<'a> {
    /// `[pixels, factors.len()]`.
    pub(crate) values: &'a mut [f32],
    /// Whole vectors.
    pub(crate) factors: &'a [f32],
}

impl Operation for Scale<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, _: S) {
        for pixel in self.values.chunks_exact_mut(self.factors.len()) {
            for (x, factor) in pixel.iter_mut().zip(self.factors) {
                *x *= factor;
            }
        }
    }
}
