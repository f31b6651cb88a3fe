//! Global average pooling of one panel.

use fearless_simd::prelude::SimdBase;

use super::{Operand, Operation, Tiles};

const SUMS: usize = 4;

/// `output[channel] = mean over pixels of input[pixel, channel]`.
pub(crate) struct AveragePool<'a> {
    /// `[pixels, output.len()]`.
    pub(crate) input: &'a [f32],
    /// Whole vectors.
    pub(crate) output: &'a mut [f32],
}

impl Operation for AveragePool<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        let channels = self.output.len();
        #[allow(clippy::cast_precision_loss)] // A map has far fewer pixels than f32 counts exactly.
        let share = 1.0 / (self.input.len() / channels) as f32;
        for (i, mean) in self.output.chunks_exact_mut(S::LANES).enumerate() {
            // In turn, so that no sum waits for the one before.
            let mut sums = [S::f32s::splat(simd, 0.0); SUMS];
            let load =
                |pixel: &[f32]| S::f32s::from_slice(simd, &pixel[i * S::LANES..][..S::LANES]);
            let mut runs = self.input.chunks_exact(SUMS * channels);
            for run in &mut runs {
                for (sum, pixel) in sums.iter_mut().zip(run.chunks_exact(channels)) {
                    *sum += load(pixel);
                }
            }
            for pixel in runs.remainder().chunks_exact(channels) {
                sums[0] += load(pixel);
            }
            let total = sums[1..].iter().fold(sums[0], |total, sum| total + *sum);
            (total * S::f32s::splat(simd, share)).store_slice(mean);
        }
    }
}
