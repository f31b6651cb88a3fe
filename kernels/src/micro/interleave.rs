//! Three planes into one line of pixels. Plain Rust: the compiler vectorises it for the instruction set it is compiled for.

use super::{Operand, Operation, Tiles};

/// `output[x] = [planes[0][x], planes[1][x], planes[2][x]]`.
pub(crate) struct Interleave<'a> {
    /// `[3][width]`.
    pub(crate) planes: [&'a [f32]; 3],
    /// `[width, 3]`.
    pub(crate) output: &'a mut [f32],
}

impl Operation for Interleave<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, _: S) {
        let [red, green, blue] = self.planes;
        let pixels = self.output.as_chunks_mut::<3>().0;
        for (((pixel, r), g), b) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
            *pixel = [*r, *g, *b];
        }
    }
}
