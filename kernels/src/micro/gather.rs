//! One vector of channels of every pixel, side by side.

use fearless_simd::prelude::SimdBase;

use super::{Operand, Operation, Tiles};

/// `output[pixel, ..lanes] = input[pixel * stride..][..lanes]`.
pub(crate) struct Gather<'a> {
    /// From the vector of the first pixel on.
    pub(crate) input: &'a [f32],
    pub(crate) stride: usize,
    /// `[pixels, lanes]`.
    pub(crate) output: &'a mut [f32],
}

impl Operation for Gather<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        let pixels = self.output.chunks_exact_mut(S::LANES);
        for (to, from) in pixels.zip(self.input.chunks(self.stride)) {
            S::f32s::from_slice(simd, &from[..S::LANES]).store_slice(to);
        }
    }
}
