//! EfficientNet, its Lite variant and MobileNetV2: tables of stages, scaled in width and depth.

use imageclassifier_kernels::Unary;

use super::{Block, InvertedResiduals, Numbering, RELU6, SqueezeExcite, rounded_to_8};

/// Blocks of one kind; only the first of them strides.
struct Stage {
    repeats: usize,
    kernel: usize,
    stride: usize,
    expand_ratio: usize,
    channels: usize,
}

const fn stage(
    repeats: usize,
    kernel: usize,
    stride: usize,
    expand_ratio: usize,
    channels: usize,
) -> Stage {
    Stage {
        repeats,
        kernel,
        stride,
        expand_ratio,
        channels,
    }
}

const EFFICIENTNET: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

const MOBILENET_V2: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(3, 3, 2, 6, 32),
    stage(4, 3, 2, 6, 64),
    stage(3, 3, 1, 6, 96),
    stage(3, 3, 2, 6, 160),
    stage(1, 3, 1, 6, 320),
];

const STEM_CHANNELS: usize = 32;
const HEAD_CHANNELS: usize = 1280;

impl InvertedResiduals {
    /// Width and depth are in tenths.
    pub(crate) fn efficientnet(width: usize, depth: usize) -> Self {
        let stem_channels = rounded_to_8(STEM_CHANNELS * width, 10);
        let mut channels = stem_channels;
        let stages = EFFICIENTNET.iter().map(|stage| {
            let repeats = (stage.repeats * depth).div_ceil(10);
            let blocks = stage.blocks(&mut channels, repeats, width, Unary::Silu);
            blocks
                .into_iter()
                .map(|(input, block)| Block {
                    squeezed_channels: Some(input / 4),
                    ..block
                })
                .collect()
        });
        Self {
            stages: stages.collect(),
            stem_channels,
            activation: Unary::Silu,
            head_channels: rounded_to_8(HEAD_CHANNELS * width, 10),
            hidden_channels: None,
            squeeze_excite: Some(SqueezeExcite {
                activation: Unary::Silu,
                gate: Unary::Sigmoid,
            }),
            numbering: Numbering::Stages,
        }
    }

    /// Stem and head are not scaled, nor is the depth of the first and last stage.
    pub(crate) fn efficientnet_lite(width: usize, depth: usize) -> Self {
        let last = EFFICIENTNET.len() - 1;
        let repeats = |i: usize, stage: &Stage| {
            if i == 0 || i == last {
                stage.repeats
            } else {
                (stage.repeats * depth).div_ceil(10)
            }
        };
        Self::plain(&EFFICIENTNET, width, repeats, Numbering::Stages)
    }

    pub(crate) fn mobilenet_v2() -> Self {
        let repeats = |_, stage: &Stage| stage.repeats;
        Self::plain(&MOBILENET_V2, 10, repeats, Numbering::FlatBlocks)
    }

    /// With ReLU6 and without squeeze-and-excitation.
    fn plain(
        stages: &[Stage],
        width: usize,
        repeats: impl Fn(usize, &Stage) -> usize,
        numbering: Numbering,
    ) -> Self {
        let mut channels = STEM_CHANNELS;
        let stages = stages.iter().enumerate().map(|(i, stage)| {
            let blocks = stage.blocks(&mut channels, repeats(i, stage), width, RELU6);
            blocks.into_iter().map(|(_, block)| block).collect()
        });
        Self {
            stages: stages.collect(),
            stem_channels: STEM_CHANNELS,
            activation: RELU6,
            head_channels: HEAD_CHANNELS,
            hidden_channels: None,
            squeeze_excite: None,
            numbering,
        }
    }
}

impl Stage {
    /// The blocks, each with the channels of its input. `channels` are those before the stage, then those after it.
    fn blocks(
        &self,
        channels: &mut usize,
        repeats: usize,
        width: usize,
        activation: Unary,
    ) -> Vec<(usize, Block)> {
        let output = rounded_to_8(self.channels * width, 10);
        let blocks = (0..repeats).map(|i| {
            let input = std::mem::replace(channels, output);
            let block = Block {
                kernel: self.kernel,
                stride: if i == 0 { self.stride } else { 1 },
                expanded_channels: input * self.expand_ratio,
                channels: output,
                squeezed_channels: None,
                activation,
            };
            (input, block)
        });
        blocks.collect()
    }
}
