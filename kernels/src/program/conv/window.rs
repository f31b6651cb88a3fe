//! Convolutions over a window, as matrix products on a copy of the map that carries its padding: no matrix of windows is
//! written.

use super::super::kernel::Kernel;
use super::super::product::Product;
use super::super::relayout::Layout;
use super::window_product;
use crate::graph::{Conv, Window};
use crate::isa::Token;
use crate::micro::{OutputLayout, Segments};
use crate::packed::Rows;
use crate::padding::unpadded;
use crate::scratch::{Scratch, ScratchLen};
use crate::shape::checked_len;
use crate::team::{THREADS_MAX, split};
use crate::{BuildError, MapShape, ThreadTeam};

/// A convolution in one or more groups of channels.
#[derive(Debug)]
pub(super) struct Windowed {
    token: Token,
    /// One for each group.
    products: Vec<Product>,
    window: Window,
    layout: Layout,
    input: MapShape,
    output: MapShape,
    residual: bool,
    /// Channels of a group.
    channels: usize,
    /// Rows and columns of the padded map.
    padded: [usize; 2],
    /// Elements of a group's output row, padded, where there are several.
    group_line: usize,
}

impl Windowed {
    pub(super) fn new(
        token: Token,
        conv: &Conv,
        layout: Layout,
        [input, output]: [MapShape; 2],
        weight: &[f32],
        bias: &[f32],
    ) -> Result<Self, BuildError> {
        let window = conv.window;
        let groups = conv.groups;
        let (channels, outputs) = (input.channels() / groups, output.channels() / groups);
        let taps = checked_len(window.kernel)?;
        let depth = checked_len([taps, channels])?;
        let padded = [0, 1]
            .map(|i| window.pad_begin[i] + [input.height(), input.width()][i] + window.pad_end[i]);
        checked_len([padded[0], padded[1], input.channels()])?;
        let products = weight
            .chunks_exact(outputs * depth)
            .zip(bias.chunks_exact(outputs));
        let products =
            products.map(|(weight, bias)| window_product(token, conv, channels, weight, bias));
        let products = products.collect::<Result<Vec<_>, _>>()?;
        let group_line = if groups == 1 {
            0
        } else {
            output.width() * products[0].packed.outputs()
        };
        Ok(Self {
            token,
            products,
            window,
            layout,
            input,
            output,
            residual: conv.residual,
            channels,
            padded,
            group_line,
        })
    }

    fn padded_line(&self) -> usize {
        self.padded[1] * self.channels
    }

    fn padded_len(&self) -> usize {
        self.padded[0] * self.padded_line()
    }

    /// Writes row `y` of the padded map of `group`.
    fn pad_row(&self, group: usize, y: usize, input: &[f32], line: &mut [f32]) {
        let (width, channels) = (self.input.width(), self.channels);
        let Some(y) = unpadded(y, self.window.pad_begin[0], self.input.height()) else {
            return line.fill(0.0);
        };
        let (before, rest) = line.split_at_mut(self.window.pad_begin[1] * channels);
        let (pixels, after) = rest.split_at_mut(width * channels);
        before.fill(0.0);
        after.fill(0.0);
        match self.layout {
            Layout::Map => {
                let stride = self.input.channel_stride();
                let row = &input[y * width * stride..][..width * stride];
                for (to, from) in pixels
                    .chunks_exact_mut(channels)
                    .zip(row.chunks_exact(stride))
                {
                    to.copy_from_slice(&from[group * channels..][..channels]);
                }
            }
            Layout::Rows => {
                let plane = self.input.height() * width;
                for (x, to) in pixels.chunks_exact_mut(channels).enumerate() {
                    for (c, to) in to.iter_mut().enumerate() {
                        *to = input[c * plane + y * width + x];
                    }
                }
            }
        }
    }

    /// Multiplies the windows of output row `y` with one group's weights.
    fn row<'a>(
        &self,
        padded: &'a [f32],
        y: usize,
        output: &'a mut [f32],
        stride: usize,
        residual: Option<&'a [f32]>,
    ) -> Rows<'a> {
        let [kernel_height, kernel_width] = self.window.kernel;
        Rows {
            count: self.output.width(),
            input: &padded[y * self.window.stride[0] * self.padded_line()..],
            input_stride: self.window.stride[1] * self.channels,
            segments: Segments {
                count: kernel_height,
                len: kernel_width * self.channels,
                stride: self.padded_line(),
            },
            output,
            layout: OutputLayout::dense(stride),
            residual,
            clamp: None,
        }
    }

    fn run_whole(
        &self,
        team: &mut ThreadTeam,
        padded: &[f32],
        output: &mut [f32],
        residual: Option<&[f32]>,
    ) {
        let (product, stride) = (&self.products[0], self.output.channel_stride());
        let line = self.output.width() * stride;
        let shares = || team.shares(self.output.height());
        let outputs = split(output, shares().map(|rows| rows.len() * line));
        team.for_each(shares().zip(outputs), |(rows, output)| {
            // A panel's weights stay in L2 for all rows.
            for &panel in product.packed.panels() {
                for (y, output) in rows.clone().zip(output.chunks_exact_mut(line)) {
                    let residual = residual.map(|residual| &residual[y * line + panel.first..]);
                    let row = self.row(padded, y, &mut output[panel.first..], stride, residual);
                    product.packed.multiply(
                        panel,
                        Rows {
                            clamp: product.activation.clamp,
                            ..row
                        },
                    );
                }
            }
            product.activation.finish(self.token, output);
        });
    }

    /// Each group's row goes through a buffer: its padding would overwrite the next group's.
    fn run_groups(
        &self,
        team: &mut ThreadTeam,
        padded: &[f32],
        buffers: &mut [f32],
        output: &mut [f32],
        residual: Option<&[f32]>,
    ) {
        let stride = self.output.channel_stride();
        let line = self.output.width() * stride;
        let outputs = self.output.channels() / self.products.len();
        let shares = || team.shares(self.output.height());
        let pieces = split(output, shares().map(|rows| rows.len() * line));
        let parts = shares()
            .zip(pieces)
            .zip(buffers.chunks_exact_mut(self.group_line));
        team.for_each(parts, |((rows, output), buffer)| {
            for (y, output) in rows.zip(output.chunks_exact_mut(line)) {
                for (group, product) in self.products.iter().enumerate() {
                    let padded = &padded[group * self.padded_len()..][..self.padded_len()];
                    let width = product.packed.outputs();
                    for &panel in product.packed.panels() {
                        let row = self.row(padded, y, &mut buffer[panel.first..], width, None);
                        product.packed.multiply(panel, row);
                    }
                    let pixels = output
                        .chunks_exact_mut(stride)
                        .zip(buffer.chunks_exact(width));
                    for (to, from) in pixels {
                        to[group * outputs..][..outputs].copy_from_slice(&from[..outputs]);
                    }
                }
                if let Some(residual) = residual {
                    for (x, residual) in output.iter_mut().zip(&residual[y * line..]) {
                        *x += residual;
                    }
                }
                let activation = self.products[0].activation;
                if let Some([low, high]) = activation.clamp {
                    crate::graph::apply(crate::Unary::Clamp(low, high), output);
                }
                activation.finish(self.token, output);
            }
        });
    }
}

impl Kernel for Windowed {
    fn name(&self) -> &'static str {
        if self.products.len() == 1 {
            "conv"
        } else {
            "grouped conv"
        }
    }

    fn scratch_len(&self) -> ScratchLen {
        let padded = self.padded_len() * self.products.len();
        ScratchLen::operands(padded + THREADS_MAX * self.group_line)
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let output = &mut output[..self.output.buffer_len()];
        let residual = self.residual.then(|| inputs[1]);
        let padded_len = self.padded_len() * self.products.len();
        let (padded, buffers) = scratch.operands.split_at_mut(padded_len);
        let (rows, line) = (self.padded[0], self.padded_line());
        let shares = || team.shares(rows * self.products.len());
        let parts = split(padded, shares().map(|share| share.len() * line));
        team.for_each(shares().zip(parts), |(share, padded)| {
            for (i, line) in share.zip(padded.chunks_exact_mut(line)) {
                self.pad_row(i / rows, i % rows, inputs[0], line);
            }
        });
        if self.products.len() == 1 {
            self.run_whole(team, padded, output, residual);
        } else {
            self.run_groups(team, padded, buffers, output, residual);
        }
    }
}
