//! Convolutions on maps.

mod depthwise;
mod im2col;
mod window;
mod winograd;

use super::kernel::Kernel;
use super::planner::{PlannedSource, Planner};
use super::product::{Operands, Product};
use super::relayout::Layout;
use crate::graph::{Conv, Node};
use crate::isa::Token;
use crate::scratch::Scratch;
use crate::{BuildError, MapShape, ThreadTeam};
use depthwise::Depthwise;
use im2col::Im2col;
use window::Windowed;
use winograd::Winograd;

/// A 1 x 1 convolution: a product of all pixels.
#[derive(Debug)]
struct Pointwise {
    product: Product,
    input: MapShape,
    output: MapShape,
    residual: bool,
}

impl Kernel for Pointwise {
    fn name(&self) -> &'static str {
        "pointwise"
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let residual = self.residual.then(|| inputs[1]);
        if self.input.pixels() == 1 {
            return self.product.run_vector(team, inputs[0], output, residual);
        }
        let operands = Operands {
            rows: self.output.pixels(),
            input: inputs[0],
            input_stride: self.input.channel_stride(),
            output: &mut output[..self.output.buffer_len()],
            output_stride: self.output.channel_stride(),
            residual,
        };
        self.product.run(team, operands);
    }
}

/// The weights of one group, for windows that are read row by row, their pixels with their channels side by side.
fn window_product(
    token: Token,
    conv: &Conv,
    channels: usize,
    weight: &[f32],
    bias: &[f32],
) -> Result<Product, BuildError> {
    let taps = conv.window.kernel[0] * conv.window.kernel[1];
    Product::new(
        token,
        bias,
        taps * channels,
        conv.activation,
        |output, k| {
            let (tap, channel) = (k / channels, k % channels);
            weight[(output * channels + channel) * taps + tap]
        },
    )
}

impl Planner<'_> {
    /// Whether there is a kernel for it.
    pub(super) fn lower_conv(&mut self, node: &Node, conv: &Conv) -> Result<bool, BuildError> {
        let (Some(input), Some(output)) = (
            self.map_shape(node.inputs[0])?,
            self.map_shape(node.output)?,
        ) else {
            return Ok(false);
        };
        let Some(weight) = self.constant(node.inputs[1]).cloned() else {
            return Ok(false);
        };
        let bias = if conv.bias {
            match self.constant(node.inputs[2]) {
                Some(bias) => bias.to_vec(),
                None => return Ok(false),
            }
        } else {
            vec![0.0; output.channels()]
        };
        if conv.window.dilation != [1, 1] && conv.window.kernel != [1, 1] {
            return Ok(false);
        }
        let depth = input.channels();
        let is_depthwise =
            conv.groups == input.channels() && conv.groups == output.channels() && conv.groups > 1;
        let mut layout = Layout::Map;
        let kernel: Box<dyn Kernel> = if is_depthwise {
            Box::new(Depthwise::new(
                self.token, conv, input, output, &weight, &bias,
            ))
        } else if conv.window.is_pointwise() && conv.groups == 1 {
            Box::new(Pointwise {
                product: Product::new(self.token, &bias, depth, conv.activation, |o, k| {
                    weight[o * depth + k]
                })?,
                input,
                output,
                residual: conv.residual,
            })
        } else if let Some(winograd) = Winograd::new(
            self.token,
            conv,
            [input, output],
            &weight,
            &bias,
            &mut self.extra_weights_budget,
        )? {
            Box::new(winograd)
        } else if conv.groups == 1 && Im2col::suits(&conv.window, output) {
            let product = window_product(self.token, conv, input.channels(), &weight, &bias)?;
            Box::new(Im2col::new(
                product,
                conv.window,
                [input, output],
                conv.residual,
            )?)
        } else {
            if !self.is_map(node.inputs[0]) && conv.groups == 1 {
                layout = Layout::Rows;
            }
            Box::new(Windowed::new(
                self.token,
                conv,
                layout,
                [input, output],
                &weight,
                &bias,
            )?)
        };
        let mut inputs: Vec<PlannedSource> = vec![self.source(node.inputs[0], layout)?];
        if conv.residual {
            inputs.push(self.source(node.inputs[node.inputs.len() - 1], Layout::Map)?);
        }
        self.push(node, kernel, inputs, Layout::Map)?;
        Ok(true)
    }
}
