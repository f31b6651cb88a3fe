//! Global average pooling of one panel. Plain Rust: the compiler vectorises it for the instruction set it is compiled for.

use super::{Operand, Operation, Tiles};

/// `output[channel] = mean over pixels of input[pixel, channel]`.
pub(crate) struct AveragePool<'a> {
    /// `[pixels, output.len()]`.
    pub(crate) input: &'a [f32],
    pub(crate) output: &'a mut [f32],
}

impl Operation for AveragePool<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, _: S) {
        let channels = self.output.len();
        self.output.fill(0.0);
        for pixel in self.input.chunks_exact(channels) {
            for (sum, x) in self.output.iter_mut().zip(pixel) {
                *sum += x;
            }
        }
        #[allow(clippy::cast_precision_loss)] // A map has far fewer pixels than f32 counts exactly.
        let share = 1.0 / (self.input.len() / channels) as f32;
        for sum in self.output {
            *sum *= share;
        }
    }
}
