//! im2col, for convolutions whose output rows are short, or whose stride leaves pixels out: every window is copied into a row,
//! so that a matrix product runs over all pixels at once.

use super::super::kernel::Kernel;
use super::super::product::{Operands, Product};
use crate::graph::Window;
use crate::padding::unpadded;
use crate::scratch::{Scratch, ScratchLen};
use crate::shape::checked_len;
use crate::team::split;
use crate::{BuildError, MapShape, ThreadTeam};

#[derive(Debug)]
pub(super) struct Im2col {
    product: Product,
    window: Window,
    input: MapShape,
    output: MapShape,
    residual: bool,
}

/// Output rows shorter than this fill no register tile of the widest instruction set.
const WIDTH_MIN: usize = 12;

impl Im2col {
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
            let y = y * self.window.stride[0] + ky;
            let x = x * self.window.stride[1] + kx;
            let y = unpadded(y, self.window.pad_begin[0], self.input.height());
            let x = unpadded(x, self.window.pad_begin[1], self.input.width());
            match y.zip(x) {
                Some((y, x)) => {
                    to.copy_from_slice(&input[(y * self.input.width() + x) * stride..][..channels])
                }
                None => to.fill(0.0),
            }
        }
    }
}

impl Kernel for Im2col {
    fn name(&self) -> &'static str {
        "conv im2col"
    }

    fn scratch_len(&self) -> ScratchLen {
        ScratchLen::operands(self.output.pixels() * self.product.depth)
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (pixels, depth) = (self.output.pixels(), self.product.depth);
        let rows = &mut scratch.operands[..pixels * depth];
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
