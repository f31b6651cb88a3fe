//! Layers of PyTorch as operations of a graph, with their weights.

use imageclassifier_kernels::{
    Binary, Conv, Graph, GraphBuilder, GraphError, Op, Pool, Pooling, Reduction, Unary, ValueId,
    Window,
};

use crate::Weights;

/// How a convolution pads its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// By half a kernel on each side.
    Symmetric,
    /// As TensorFlow's `SAME`: no more than the stride needs, and an odd pixel at the end.
    Same,
}

/// Adds the layers of one network.
pub(crate) struct Layers<'a> {
    graph: GraphBuilder,
    weights: &'a mut dyn Weights,
    padding: Padding,
    /// Added to variances by batch normalisation.
    epsilon: f32,
}

/// A convolution, without what its input decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvShape {
    pub(crate) channels: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) is_depthwise: bool,
}

/// Names of a convolution and of the batch normalisation after it.
pub(crate) type ConvNorm = [String; 2];

impl ConvShape {
    pub(crate) fn pointwise(channels: usize) -> Self {
        Self::square(channels, 1, 1)
    }

    pub(crate) fn square(channels: usize, kernel: usize, stride: usize) -> Self {
        Self {
            channels,
            kernel,
            stride,
            is_depthwise: false,
        }
    }
}

impl<'a> Layers<'a> {
    /// Begins with an image `[1, 3, side, side]`.
    ///
    /// # Errors
    /// If the image is empty or too large.
    pub(crate) fn new(
        side: usize,
        weights: &'a mut dyn Weights,
        padding: Padding,
        epsilon: f32,
    ) -> Result<Self, GraphError> {
        Ok(Self {
            graph: GraphBuilder::new(&[1, 3, side, side])?,
            weights,
            padding,
            epsilon,
        })
    }

    pub(crate) fn image(&self) -> ValueId {
        self.graph.input()
    }

    /// Axis 1 of a map or vector.
    pub(crate) fn channels(&self, x: ValueId) -> usize {
        self.graph.shape(x)[1]
    }

    pub(crate) fn finish(self, output: ValueId) -> Result<Graph, GraphError> {
        self.graph.finish(output)
    }

    /// A convolution without bias, then batch normalisation, which is folded into it.
    pub(crate) fn conv_norm(
        &mut self,
        [conv, norm]: &ConvNorm,
        x: ValueId,
        shape: ConvShape,
    ) -> Result<ValueId, GraphError> {
        let mut weight = self.conv_weight(conv, x, shape)?;
        let [scale, bias, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|it| {
                self.weights
                    .take(&format!("{norm}.{it}"), &[shape.channels])
            });
        let (scale, mut bias, mean, variance) = (scale?, bias?, mean?, variance?);
        let row = weight.len() / shape.channels;
        for (channel, weights) in weight.chunks_exact_mut(row).enumerate() {
            let (scale, variance) = (scale[channel], variance[channel]);
            if variance < 0.0 {
                let problem = format!("the variance of channel {channel} is negative");
                return Err(GraphError::new(norm, problem));
            }
            let factor = scale / (variance + self.epsilon).sqrt();
            for weight in weights.iter_mut() {
                *weight *= factor;
            }
            bias[channel] -= mean[channel] * factor;
            let mut folded = weights.iter().chain([&bias[channel]]);
            if !folded.all(|value| value.is_finite()) {
                let problem = format!(
                    "batch normalisation of channel {channel} is not finite: weight {scale}, variance {variance}"
                );
                return Err(GraphError::new(norm, problem));
            }
        }
        self.add_conv(conv, x, shape, weight, bias)
    }

    /// A convolution with a bias.
    pub(crate) fn conv(
        &mut self,
        name: &str,
        x: ValueId,
        shape: ConvShape,
    ) -> Result<ValueId, GraphError> {
        let weight = self.conv_weight(name, x, shape)?;
        let bias = self
            .weights
            .take(&format!("{name}.bias"), &[shape.channels])?;
        self.add_conv(name, x, shape, weight, bias)
    }

    pub(crate) fn activate(
        &mut self,
        name: &str,
        unary: Unary,
        x: ValueId,
    ) -> Result<ValueId, GraphError> {
        self.graph.add(name, Op::Unary(unary), &[x])
    }

    pub(crate) fn add(
        &mut self,
        name: &str,
        a: ValueId,
        b: ValueId,
    ) -> Result<ValueId, GraphError> {
        self.graph.add(name, Op::Binary(Binary::Add), &[a, b])
    }

    /// Scales the channels of the map `x` by `factors`.
    pub(crate) fn scale(
        &mut self,
        name: &str,
        x: ValueId,
        factors: ValueId,
    ) -> Result<ValueId, GraphError> {
        self.graph.add(name, Op::Binary(Binary::Mul), &[x, factors])
    }

    /// `[1, channels, 1, 1]`
    pub(crate) fn mean(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        let op = Op::Reduce {
            reduction: Reduction::Mean,
            axes: vec![2, 3],
        };
        self.graph.add(name, op, &[x])
    }

    /// Global average pooling, `[1, channels]`.
    pub(crate) fn global_pool(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let channels = self.channels(x);
        let mean = self.mean("global_pool", x)?;
        self.graph
            .add("flatten", Op::Reshape(vec![1, channels]), &[mean])
    }

    /// 3 x 3 with stride 2.
    pub(crate) fn max_pool(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        let window = self.window(x, 3, 2);
        let pooling = Pooling::Max;
        self.graph
            .add(name, Op::Pool(Pool { window, pooling }), &[x])
    }

    /// A linear layer of `outputs` on a vector. `tail` is what the weight's shape has after `[outputs, inputs]`.
    pub(crate) fn linear(
        &mut self,
        name: &str,
        x: ValueId,
        outputs: usize,
        tail: &[usize],
    ) -> Result<ValueId, GraphError> {
        let inputs = self.channels(x);
        let shape = [&[outputs, inputs], tail].concat();
        let weight = self.weights.take(&format!("{name}.weight"), &shape)?;
        let bias = self.weights.take(&format!("{name}.bias"), &[outputs])?;
        let weight = self.graph.add_constant(name, &[outputs, inputs], weight)?;
        let bias = self.graph.add_constant(name, &[outputs], bias)?;
        let op = Op::Linear {
            transposed: false,
            bias: true,
            residual: false,
            activation: None,
        };
        self.graph.add(name, op, &[x, weight, bias])
    }

    /// The last layer, whose weight says how many classes there are.
    pub(crate) fn classifier(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        let weight = format!("{name}.weight");
        // Where there is no weight, `linear` says which is missing.
        let classes = self.weights.rows(&weight).unwrap_or(1000);
        if classes < 2 {
            let problem = format!("it has {classes} outputs: a classifier has at least 2");
            return Err(GraphError::new(name, problem));
        }
        self.linear(name, x, classes, &[])
    }

    fn conv_weight(
        &mut self,
        name: &str,
        x: ValueId,
        shape: ConvShape,
    ) -> Result<Vec<f32>, GraphError> {
        let inputs = if shape.is_depthwise {
            1
        } else {
            self.channels(x)
        };
        let shape = [shape.channels, inputs, shape.kernel, shape.kernel];
        self.weights.take(&format!("{name}.weight"), &shape)
    }

    fn add_conv(
        &mut self,
        name: &str,
        x: ValueId,
        shape: ConvShape,
        weight: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<ValueId, GraphError> {
        let groups = if shape.is_depthwise {
            shape.channels
        } else {
            1
        };
        let axes = [
            shape.channels,
            weight.len() / shape.channels / shape.kernel.pow(2),
            shape.kernel,
            shape.kernel,
        ];
        let weight = self.graph.add_constant(name, &axes, weight)?;
        let bias = self.graph.add_constant(name, &[shape.channels], bias)?;
        let op = Op::Conv(Conv {
            window: self.window(x, shape.kernel, shape.stride),
            groups,
            bias: true,
            residual: false,
            activation: None,
        });
        self.graph.add(name, op, &[x, weight, bias])
    }

    fn window(&self, x: ValueId, kernel: usize, stride: usize) -> Window {
        let shape = self.graph.shape(x);
        let pads = [shape[2], shape[3]].map(|side| match self.padding {
            Padding::Symmetric => [kernel / 2; 2],
            Padding::Same => {
                let touched = (side.div_ceil(stride) - 1) * stride + kernel;
                let padding = touched.saturating_sub(side);
                [padding / 2, padding - padding / 2]
            }
        });
        Window {
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            pad_begin: pads.map(|[begin, _]| begin),
            pad_end: pads.map(|[_, end]| end),
        }
    }
}
