//! The layers as their definitions say, on maps `[height, width, channels]` without padding, summed in f64.

use imageclassifier_kernels::{Architecture, BlockConfig, MapShape, Precision};

use crate::random::{Conv, RandomBlock, RandomNetwork};

/// A map and its shape.
#[derive(Clone)]
pub(crate) struct Map {
    pub(crate) shape: MapShape,
    pub(crate) values: Vec<f32>,
}

impl Map {
    fn get(&self, y: Option<usize>, x: Option<usize>, channel: usize) -> f64 {
        match (
            y.filter(|y| *y < self.shape.height()),
            x.filter(|x| *x < self.shape.width()),
        ) {
            (Some(y), Some(x)) => f64::from(
                self.values[(y * self.shape.width() + x) * self.shape.channels() + channel],
            ),
            _ => 0.0,
        }
    }

    /// The same map with its channels padded, the padding full of `NaN`: nothing may read it.
    pub(crate) fn padded(&self) -> Vec<f32> {
        let mut padded = vec![f32::NAN; self.shape.buffer_len()];
        let pixels = padded.chunks_exact_mut(self.shape.channel_stride());
        for (to, from) in pixels.zip(self.values.chunks_exact(self.shape.channels())) {
            to[..from.len()].copy_from_slice(from);
        }
        padded
    }

    /// Reads a map whose channels are padded.
    pub(crate) fn from_padded(shape: MapShape, padded: &[f32]) -> Self {
        let pixels = padded.chunks_exact(shape.channel_stride());
        Self {
            shape,
            values: pixels
                .flat_map(|pixel| &pixel[..shape.channels()])
                .copied()
                .collect(),
        }
    }
}

fn relu6(x: f32) -> f32 {
    x.clamp(0.0, 6.0)
}

/// A convolution with TensorFlow's SAME padding; `depthwise` or dense.
pub(crate) fn convolve(
    input: &Map,
    conv: &Conv,
    kernel_size: usize,
    stride: usize,
    depthwise: bool,
) -> Map {
    let (channels, depth) = (
        conv.bias.len(),
        if depthwise { 1 } else { input.shape.channels() },
    );
    let [height, width] = [input.shape.height(), input.shape.width()].map(|n| n.div_ceil(stride));
    let pad = |n: usize| ((n.div_ceil(stride) - 1) * stride + kernel_size).saturating_sub(n) / 2;
    let (top, left) = (pad(input.shape.height()), pad(input.shape.width()));
    let mut values = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let mut sum = f64::from(conv.bias[channel]);
                for k in 0..depth {
                    for tap in 0..kernel_size * kernel_size {
                        let row = (y * stride + tap / kernel_size).checked_sub(top);
                        let column = (x * stride + tap % kernel_size).checked_sub(left);
                        let weight =
                            conv.weight[(channel * depth + k) * kernel_size * kernel_size + tap];
                        sum += f64::from(weight)
                            * input.get(row, column, if depthwise { channel } else { k });
                    }
                }
                #[allow(clippy::cast_possible_truncation)]
                values.push(sum as f32);
            }
        }
    }
    Map {
        shape: MapShape::new(height, width, channels).expect("a supported shape"),
        values,
    }
}

/// To 8 significant bits: to nearest, ties to even.
fn to_bf16(x: &f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
}

/// A 1 x 1 convolution of input and weights that are rounded first.
fn pointwise(input: &Map, conv: &Conv, precision: Precision) -> Map {
    let round = |values: &[f32]| match precision {
        Precision::F32 => values.to_vec(),
        Precision::Bf16 => values.iter().map(to_bf16).collect(),
    };
    let input = Map {
        shape: input.shape,
        values: round(&input.values),
    };
    let conv = Conv {
        weight: round(&conv.weight),
        bias: conv.bias.clone(),
    };
    convolve(&input, &conv, 1, 1, false)
}

fn activate(mut map: Map) -> Map {
    map.values.iter_mut().for_each(|x| *x = relu6(*x));
    map
}

pub(crate) fn stem(image: &Map, conv: &Conv) -> Map {
    activate(convolve(image, conv, 3, 2, false))
}

pub(crate) fn block(
    input: &Map,
    config: &BlockConfig,
    block: &RandomBlock,
    precision: Precision,
) -> Map {
    let mut map = input.clone();
    if let Some(conv) = &block.expand_conv {
        map = activate(pointwise(&map, conv, precision));
    }
    map = activate(convolve(
        &map,
        &block.depthwise_conv,
        config.kernel_size(),
        config.stride(),
        true,
    ));
    map = pointwise(&map, &block.project_conv, precision);
    if config.has_residual() {
        map.values
            .iter_mut()
            .zip(&input.values)
            .for_each(|(x, input)| *x += input);
    }
    map
}

/// The last feature map and the logits.
pub(crate) fn head(
    input: &Map,
    conv_head: &Conv,
    fc: &Conv,
    precision: Precision,
) -> (Map, Vec<f32>) {
    let features = activate(pointwise(input, conv_head, precision));
    let channels = features.shape.channels();
    let mut pooled = vec![0.0_f64; channels];
    for pixel in features.values.chunks_exact(channels) {
        pooled
            .iter_mut()
            .zip(pixel)
            .for_each(|(sum, x)| *sum += f64::from(*x));
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    let pooled = pooled
        .iter()
        .map(|sum| (sum / features.shape.pixels() as f64) as f32)
        .collect();
    let pooled = Map {
        shape: MapShape::new(1, 1, channels).expect("a supported shape"),
        values: pooled,
    };
    let logits = pointwise(&pooled, fc, precision).values;
    (features, logits)
}

/// The last feature map and the logits of a image.
pub(crate) fn network(
    image: &Map,
    architecture: &Architecture,
    weights: &RandomNetwork,
    precision: Precision,
) -> (Map, Vec<f32>) {
    let mut map = stem(image, &weights.conv_stem);
    for (config, weights) in architecture.blocks().iter().zip(&weights.blocks) {
        map = block(&map, config, weights, precision);
    }
    head(&map, &weights.conv_head, &weights.fc, precision)
}
