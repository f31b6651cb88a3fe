//! Depthwise convolutions.

use super::super::kernel::Kernel;
use crate::activation::Activation;
use crate::buffer::Buffer;
use crate::graph::{Conv, Window};
use crate::isa::Token;
use crate::micro::DepthwiseMap;
use crate::scratch::Scratch;
use crate::team::split;
use crate::{MapShape, ThreadTeam};

/// One filter for each channel.
#[derive(Debug)]
pub(super) struct Depthwise {
    token: Token,
    window: Window,
    input: MapShape,
    output: MapShape,
    /// `[kernel height, kernel width, channels]`
    weights: Buffer,
    bias: Buffer,
    residual: bool,
    activation: Activation,
}

impl Depthwise {
    pub(super) fn new(
        token: Token,
        conv: &Conv,
        input: MapShape,
        output: MapShape,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        let stride = input.channel_stride();
        let taps = conv.window.kernel[0] * conv.window.kernel[1];
        let mut weights = Buffer::zeroed(taps * stride);
        for (channel, filter) in weight.chunks_exact(taps).enumerate() {
            for (tap, w) in filter.iter().enumerate() {
                weights[tap * stride + channel] = *w;
            }
        }
        Self {
            token,
            window: conv.window,
            input,
            output,
            weights,
            bias: Buffer::padded(bias, stride),
            residual: conv.residual,
            activation: Activation::new(conv.activation),
        }
    }
}

impl Kernel for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let line = self.output.width() * self.output.channel_stride();
        let shares = || team.shares(self.output.height());
        let outputs = split(output, shares().map(|rows| rows.len() * line));
        // The residual comes before the limits.
        let clamp = if self.residual {
            Activation::NONE.limits()
        } else {
            self.activation.limits()
        };
        team.for_each(shares().zip(outputs), |(rows, output)| {
            for (y, output) in rows.zip(output.chunks_exact_mut(line)) {
                self.token.run(DepthwiseMap {
                    input: inputs[0],
                    height: self.input.height(),
                    width: self.input.width(),
                    channels: self.input.channel_stride(),
                    weights: &self.weights,
                    bias: &self.bias,
                    kernel: self.window.kernel,
                    stride: self.window.stride,
                    pad_begin: self.window.pad_begin,
                    rows: y..y + 1,
                    columns: self.output.width(),
                    output,
                    clamp,
                });
                if self.residual {
                    for (x, residual) in output.iter_mut().zip(&inputs[1][y * line..]) {
                        *x += residual;
                    }
                    if let Some([low, high]) = self.activation.clamp {
                        crate::graph::apply(crate::Unary::Clamp(low, high), output);
                    }
                }
                self.activation.finish(self.token, output);
            }
        });
    }
}
