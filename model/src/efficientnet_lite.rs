use burn::{
    Tensor,
    module::Module,
    nn::{
        Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::Device,
};

use crate::{Variant, labels::CLASSES};

/// EfficientNet-Lite (Tan and Le 2019, without squeeze-excite and with ReLU6), BatchNorm folded into the convolutions.
/// Layers are named as in the reference implementation.
#[derive(Module, Debug)]
pub(crate) struct EfficientNetLite {
    conv_stem: Conv2d,
    blocks: Vec<MbConvBlock>,
    conv_head: Conv2d,
    fc: Linear,
}

/// Inverted residual block (Sandler et al. 2018): widen, filter each channel, narrow, add the input where shapes agree.
#[derive(Module, Debug)]
struct MbConvBlock {
    expand_conv: Option<Conv2d>,
    depthwise_conv: Conv2d,
    project_conv: Conv2d,
    has_residual: bool,
}

/// Blocks of equal shape; the first one changes resolution and number of channels.
struct Stage {
    repeats: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: usize,
}

const STEM_CHANNELS: usize = 32;
const HEAD_CHANNELS: usize = 1280;
#[rustfmt::skip]
const STAGES: [Stage; 7] = [
    Stage { repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: 16 },
    Stage { repeats: 2, kernel: 3, stride: 2, expansion: 6, channels: 24 },
    Stage { repeats: 2, kernel: 5, stride: 2, expansion: 6, channels: 40 },
    Stage { repeats: 3, kernel: 3, stride: 2, expansion: 6, channels: 80 },
    Stage { repeats: 3, kernel: 5, stride: 1, expansion: 6, channels: 112 },
    Stage { repeats: 4, kernel: 5, stride: 2, expansion: 6, channels: 192 },
    Stage { repeats: 1, kernel: 3, stride: 1, expansion: 6, channels: 320 },
];

impl EfficientNetLite {
    pub(crate) fn new(variant: Variant, device: &Device) -> Self {
        let mut blocks = Vec::new();
        let mut channels = STEM_CHANNELS;
        for (position, stage) in STAGES.iter().enumerate() {
            let ends = position == 0 || position == STAGES.len() - 1;
            let repeats = if ends {
                stage.repeats
            } else {
                round_repeats(stage.repeats, variant.depth)
            };
            let out = round_filters(stage.channels, variant.width);
            for repeat in 0..repeats {
                let stride = if repeat == 0 { stage.stride } else { 1 };
                blocks.push(MbConvBlock::new(stage, channels, out, stride, device));
                channels = out;
            }
        }
        Self {
            conv_stem: conv([3, STEM_CHANNELS], 3, 2, 1, device),
            blocks,
            conv_head: conv([channels, HEAD_CHANNELS], 1, 1, 1, device),
            fc: LinearConfig::new(HEAD_CHANNELS, CLASSES).init(device),
        }
    }

    /// # Shapes
    /// - pictures: `[batch, 3, input_size, input_size]`, values as in [`Input`]
    /// - logits: `[batch, classes]`
    pub(crate) fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let mut x = relu6(self.conv_stem.forward(pictures));
        for block in &self.blocks {
            x = block.forward(x);
        }
        let features = relu6(self.conv_head.forward(x));
        let [batch, channels, height, width] = features.dims();
        let pooled = features
            .reshape([batch, channels, height * width])
            .mean_dim(2)
            .reshape([batch, channels]);
        self.fc.forward(pooled)
    }
}

impl MbConvBlock {
    fn new(stage: &Stage, input: usize, output: usize, stride: usize, device: &Device) -> Self {
        let inner = input * stage.expansion;
        Self {
            expand_conv: (stage.expansion > 1).then(|| conv([input, inner], 1, 1, 1, device)),
            depthwise_conv: conv([inner, inner], stage.kernel, stride, inner, device),
            project_conv: conv([inner, output], 1, 1, 1, device),
            has_residual: stride == 1 && input == output,
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let residual = self.has_residual.then(|| input.clone());
        let expanded = match &self.expand_conv {
            Some(expand_conv) => relu6(expand_conv.forward(input)),
            None => input,
        };
        let filtered = relu6(self.depthwise_conv.forward(expanded));
        let output = self.project_conv.forward(filtered);
        match residual {
            Some(residual) => output + residual,
            None => output,
        }
    }
}

/// A convolution with a bias and TensorFlow's SAME padding, which is asymmetric where the stride is 2.
fn conv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    groups: usize,
    device: &Device,
) -> Conv2d {
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_groups(groups)
        .with_padding(PaddingConfig2d::Same)
        .init(device)
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    x.clamp(0.0, 6.0)
}

/// Channels of a stage scaled by `width`: a multiple of 8 that loses no more than a tenth.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few hundred"
)]
fn round_filters(channels: usize, width: f64) -> usize {
    let scaled = channels as f64 * width;
    let rounded = (((scaled + 4.0) / 8.0) as usize * 8).max(8);
    if (rounded as f64) < 0.9 * scaled {
        rounded + 8
    } else {
        rounded
    }
}

/// Blocks of a stage scaled by `depth`, rounded up.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few blocks"
)]
fn round_repeats(repeats: usize, depth: f64) -> usize {
    (repeats as f64 * depth).ceil() as usize
}
