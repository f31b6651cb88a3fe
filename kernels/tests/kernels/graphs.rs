//! Graphs as importers make them: convolutions, and what follows them, as operations of their own.

use imageclassifier_kernels::{
    Architecture, Binary, Conv, Graph, GraphBuilder, Op, Reduction, Unary, ValueId, Window,
};

use crate::random::{self, Random, RandomNetwork};

/// Padding before and after, along both axes.
pub(crate) type Padding = [usize; 2];

/// PyTorch's: as much on either side.
pub(crate) fn even(kernel_size: usize) -> Padding {
    [kernel_size / 2; 2]
}

/// TensorFlow's SAME.
pub(crate) fn same(input: usize, kernel_size: usize, stride: usize) -> Padding {
    let touched = (input.div_ceil(stride) - 1) * stride + kernel_size;
    let padding = touched.saturating_sub(input);
    [padding / 2, padding - padding / 2]
}

/// A convolution's shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) outputs: usize,
    pub(crate) kernel_size: usize,
    pub(crate) stride: usize,
    /// Of rows and of columns.
    pub(crate) padding: [Padding; 2],
    pub(crate) depthwise: bool,
}

impl Shape {
    pub(crate) fn pointwise(outputs: usize) -> Self {
        Self {
            outputs,
            kernel_size: 1,
            stride: 1,
            padding: [[0; 2]; 2],
            depthwise: false,
        }
    }
}

/// A graph that is being built.
pub(crate) struct Net {
    pub(crate) builder: GraphBuilder,
    pub(crate) random: Random,
}

impl Net {
    pub(crate) fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            builder: GraphBuilder::new(&[1, channels, height, width]).expect("a shape"),
            random: Random::new((height * width + channels) as u64),
        }
    }

    pub(crate) fn add(&mut self, name: &str, op: Op, inputs: &[ValueId]) -> ValueId {
        self.builder.add(name, op, inputs).expect("it fits")
    }

    pub(crate) fn constant(&mut self, shape: &[usize], data: &[f32]) -> ValueId {
        self.builder
            .add_constant("constant", shape, data.to_vec())
            .expect("data of this shape")
    }

    fn channels(&self, value: ValueId) -> usize {
        self.builder.shape(value)[1]
    }

    /// A convolution with random weights.
    pub(crate) fn conv(
        &mut self,
        name: &str,
        input: ValueId,
        shape: Shape,
        activation: Option<Unary>,
    ) -> ValueId {
        let depth = if shape.depthwise {
            1
        } else {
            self.channels(input)
        };
        let weights = self
            .random
            .conv(shape.outputs, depth * shape.kernel_size * shape.kernel_size);
        self.conv_with(name, input, shape, &weights, activation)
    }

    pub(crate) fn conv_with(
        &mut self,
        name: &str,
        input: ValueId,
        shape: Shape,
        weights: &random::Conv,
        activation: Option<Unary>,
    ) -> ValueId {
        let channels = self.channels(input);
        let groups = if shape.depthwise { channels } else { 1 };
        let [side, stride] = [shape.kernel_size, shape.stride];
        let weight = self.constant(
            &[shape.outputs, channels / groups, side, side],
            &weights.weight,
        );
        let bias = self.constant(&[shape.outputs], &weights.bias);
        let [rows, columns] = shape.padding;
        let op = Op::Conv(Conv {
            window: Window {
                kernel: [side; 2],
                stride: [stride; 2],
                dilation: [1, 1],
                pad_begin: [rows[0], columns[0]],
                pad_end: [rows[1], columns[1]],
            },
            groups,
            bias: true,
            residual: false,
            activation: None,
        });
        let output = self.add(name, op, &[input, weight, bias]);
        match activation {
            Some(unary) => self.add("activation", Op::Unary(unary), &[output]),
            None => output,
        }
    }

    pub(crate) fn mean(&mut self, value: ValueId) -> ValueId {
        let op = Op::Reduce {
            reduction: Reduction::Mean,
            axes: vec![2, 3],
        };
        self.add("mean", op, &[value])
    }

    /// Scales the channels of `x` by factors between 0 and 1.
    pub(crate) fn squeeze_excite(&mut self, x: ValueId, reduced: usize) -> ValueId {
        let channels = self.channels(x);
        let mean = self.mean(x);
        let reduced = self.conv("reduce", mean, Shape::pointwise(reduced), Some(Unary::Silu));
        let factors = Shape::pointwise(channels);
        let factors = self.conv("excite", reduced, factors, Some(Unary::Sigmoid));
        self.add("scale", Op::Binary(Binary::Mul), &[factors, x])
    }

    pub(crate) fn sum(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.add("residual", Op::Binary(Binary::Add), &[a, b])
    }

    /// Mean, flattened, and a linear layer.
    pub(crate) fn head(&mut self, map: ValueId, classes: usize, weights: &random::Conv) -> ValueId {
        let channels = self.channels(map);
        let mean = self.mean(map);
        let flat = self.add("flatten", Op::Reshape(vec![1, channels]), &[mean]);
        let weight = self.constant(&[classes, channels], &weights.weight);
        let bias = self.constant(&[classes], &weights.bias);
        let op = Op::Linear {
            transposed: false,
            bias: true,
            residual: false,
            activation: None,
        };
        self.add("fc", op, &[flat, weight, bias])
    }

    pub(crate) fn finish(self, output: ValueId) -> Graph {
        self.builder.finish(output).expect("a graph")
    }
}

pub(crate) const RELU6: Option<Unary> = Some(Unary::Clamp(0.0, 6.0));

/// The graph of an architecture with TensorFlow's padding, as EfficientNet-Lite has it.
pub(crate) fn of_architecture(architecture: &Architecture, weights: &RandomNetwork) -> Graph {
    let image = architecture.input();
    let mut net = Net::new(3, image.height(), image.width());
    let padding = |net: &Net, value, kernel_size, stride| {
        let shape = net.builder.shape(value);
        [shape[2], shape[3]].map(|side| same(side, kernel_size, stride))
    };
    let input = net.builder.input();
    let stem = Shape {
        outputs: architecture.stem_output().channels(),
        kernel_size: 3,
        stride: 2,
        padding: padding(&net, input, 3, 2),
        depthwise: false,
    };
    let mut map = net.conv_with("stem", input, stem, &weights.conv_stem, RELU6);
    for (config, weights) in architecture.blocks().iter().zip(&weights.blocks) {
        let before = map;
        let channels = config.depthwise_channels();
        if let Some(conv) = &weights.expand_conv {
            map = net.conv_with("expand", map, Shape::pointwise(channels), conv, RELU6);
        }
        let depthwise = Shape {
            outputs: channels,
            kernel_size: config.kernel_size(),
            stride: config.stride(),
            padding: padding(&net, map, config.kernel_size(), config.stride()),
            depthwise: true,
        };
        map = net.conv_with("depthwise", map, depthwise, &weights.depthwise_conv, RELU6);
        let project = Shape::pointwise(config.output().channels());
        map = net.conv_with("project", map, project, &weights.project_conv, None);
        if config.has_residual() {
            map = net.sum(map, before);
        }
    }
    let head = Shape::pointwise(architecture.head_channels());
    map = net.conv_with("head", map, head, &weights.conv_head, RELU6);
    let logits = net.head(map, architecture.classes(), &weights.fc);
    net.finish(logits)
}

/// MobileNetV2 with PyTorch's padding on images of `side` pixels.
pub(crate) fn mobilenet_v2(side: usize) -> Graph {
    let mut net = Net::new(3, side, side);
    let spatial = |outputs, stride, depthwise| Shape {
        outputs,
        kernel_size: 3,
        stride,
        padding: [even(3); 2],
        depthwise,
    };
    let input = net.builder.input();
    let mut map = net.conv("stem", input, spatial(32, 2, false), RELU6);
    for (ratio, channels, repeats, stride) in [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ] {
        for i in 0..repeats {
            let (before, inputs) = (map, net.channels(map));
            if ratio != 1 {
                map = net.conv("expand", map, Shape::pointwise(ratio * inputs), RELU6);
            }
            let stride = if i == 0 { stride } else { 1 };
            map = net.conv(
                "depthwise",
                map,
                spatial(ratio * inputs, stride, true),
                RELU6,
            );
            map = net.conv("project", map, Shape::pointwise(channels), None);
            if stride == 1 && inputs == channels {
                map = net.sum(before, map);
            }
        }
    }
    map = net.conv("head", map, Shape::pointwise(1280), RELU6);
    let weights = net.random.conv(10, 1280);
    let logits = net.head(map, 10, &weights);
    net.finish(logits)
}
