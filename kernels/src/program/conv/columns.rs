//! Convolutions whose output rows are short, or whose stride leaves pixels out: every window is copied into a row, so that a
//! matrix product runs over all pixels at once.

use super::super::kernel::Kernel;
use super::super::product::{Operands, Product};
use crate::graph::Window;
use crate::scratch::{Scratch, ScratchLen};
use crate::shape::checked_len;
use crate::team::split;
use crate::{BuildError, MapShape, ThreadTeam};

#[derive(Debug)]
pub(super) struct Columns {
    product: Product,
    window: Window,
    input: MapShape,
    output: MapShape,
    residual: bool,
}

/// Output rows shorter than this fill no register tile of the widest instruction set.
const WIDTH_MIN: usize = 12;

impl Columns {
    /// Whether it is the faster way.
    pub(super) fn suits(window: &Window, output: MapShape) -> bool {
        output.width() < WIDTH_MIN || window.kernel == [1, 1]
    }

    /// `product` reads windows row by row, their pixels with their channels side by side.
    pub(super) fn new(
        product: Product,
        window: Window,
        [input, output]: [MapShape; 2],
        residual: bool,
    ) -> Result<Self, BuildError> {
        checked_len([output.pixels(), product.depth])?;
        Ok(Self {
            product,
            window,
            input,
            output,
            residual,
        })
    }

    /// Writes the window of an output pixel.
    fn window(&self, pixel: usize, input: &[f32], row: &mut [f32]) {
        let (channels, stride) = (self.input.channels(), self.input.channel_stride());
        let (y, x) = (pixel / self.output.width(), pixel % self.output.width());
        let taps = row.chunks_exact_mut(channels).enumerate();
        for (tap, to) in taps {
            let (ky, kx) = (tap / self.window.kernel[1], tap % self.window.kernel[1]);
            let from_y = (y * self.window.stride[0] + ky).checked_sub(self.window.before[0]);
            let from_x = (x * self.window.stride[1] + kx).checked_sub(self.window.before[1]);
            let inside = from_y
                .zip(from_x)
                .filter(|(y, x)| *y < self.input.height() && *x < self.input.width());
            match inside {
                Some((y, x)) => {
                    to.copy_from_slice(&input[(y * self.input.width() + x) * stride..][..channels])
                }
                None => to.fill(0.0),
            }
        }
    }
}

impl Kernel for Columns {
    fn name(&self) -> &'static str {
        "conv by rows"
    }

    fn scratch_len(&self) -> ScratchLen {
        ScratchLen::packed(self.output.pixels() * self.product.depth)
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (pixels, depth) = (self.output.pixels(), self.product.depth);
        let rows = &mut scratch.packed[..pixels * depth];
        let shares = || team.shares(pixels);
        let pieces = split(rows, shares().map(|share| share.len() * depth));
        team.for_each(shares().zip(pieces), |(share, rows)| {
            for (pixel, row) in share.zip(rows.chunks_exact_mut(depth)) {
                self.window(pixel, inputs[0], row);
            }
        });
        let operands = Operands {
            rows: pixels,
            input: rows,
            input_stride: depth,
            output: &mut output[..self.output.buffer_len()],
            output_stride: self.output.channel_stride(),
            residual: self.residual.then(|| inputs[1]),
        };
        self.product.run(team, operands);
    }
}
