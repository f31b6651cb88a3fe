//! The EfficientNet-Lite family in numbers: <https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite>.

use crate::{BlockConfig, BuildError, MapShape};

/// A run of blocks with the same kernel and width; only the first of them strides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Blocks in the stage.
    pub repeats: usize,
    /// Side of the depthwise kernel: 3 or 5.
    pub kernel_size: usize,
    /// Stride of the first block: 1 or 2.
    pub stride: usize,
    /// Expanded channels per input channel; 1 means no expansion.
    pub expand_ratio: usize,
    /// Channels of the stage's output.
    pub channels: usize,
}

/// Everything that determines the shapes of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Rows of the input picture.
    pub height: usize,
    /// Columns of the input picture.
    pub width: usize,
    /// Channels after `conv_stem`.
    pub stem_channels: usize,
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// Channels after `conv_head`.
    pub head_channels: usize,
    /// Classes that `fc` tells apart.
    pub classes: usize,
}

impl Architecture {
    /// EfficientNet-Lite0 on 224 x 224 pixels.
    #[must_use]
    pub fn lite0() -> Self {
        Self::lite(224, 10, 10)
    }

    /// EfficientNet-Lite1 on 240 x 240 pixels.
    #[must_use]
    pub fn lite1() -> Self {
        Self::lite(240, 10, 11)
    }

    /// EfficientNet-Lite2 on 260 x 260 pixels.
    #[must_use]
    pub fn lite2() -> Self {
        Self::lite(260, 11, 12)
    }

    /// The family: `side` pixels square, channels and repeats multiplied by tenths.
    ///
    /// Stem, head, and the repeats of the first and last stage are not scaled.
    fn lite(side: usize, width_tenths: usize, depth_tenths: usize) -> Self {
        let base = [
            (1, 3, 1, 1, 16),
            (2, 3, 2, 6, 24),
            (2, 5, 2, 6, 40),
            (3, 3, 2, 6, 80),
            (3, 5, 1, 6, 112),
            (4, 5, 2, 6, 192),
            (1, 3, 1, 6, 320),
        ];
        let last = base.len() - 1;
        let stages = base.into_iter().enumerate().map(
            |(i, (repeats, kernel_size, stride, expand_ratio, channels))| Stage {
                repeats: if i == 0 || i == last {
                    repeats
                } else {
                    (repeats * depth_tenths).div_ceil(10)
                },
                kernel_size,
                stride,
                expand_ratio,
                channels: scaled_channels(channels, width_tenths),
            },
        );
        Self {
            height: side,
            width: side,
            stem_channels: 32,
            stages: stages.collect(),
            head_channels: 1280,
            classes: 1000,
        }
    }

    /// The input picture, three channels.
    #[must_use]
    pub fn input(&self) -> MapShape {
        MapShape {
            height: self.height,
            width: self.width,
            channels: 3,
        }
    }

    /// What `conv_stem` makes of the picture.
    #[must_use]
    pub fn stem_output(&self) -> MapShape {
        MapShape {
            height: self.height.div_ceil(2),
            width: self.width.div_ceil(2),
            channels: self.stem_channels,
        }
    }

    /// The blocks in order, each on the output of the one before.
    #[must_use]
    pub fn blocks(&self) -> Vec<BlockConfig> {
        let mut input = self.stem_output();
        let mut blocks = Vec::new();
        for stage in &self.stages {
            for i in 0..stage.repeats {
                let block = BlockConfig {
                    input,
                    expanded_channels: (stage.expand_ratio != 1)
                        .then_some(input.channels * stage.expand_ratio),
                    kernel_size: stage.kernel_size,
                    stride: if i == 0 { stage.stride } else { 1 },
                    output_channels: stage.channels,
                };
                input = block.output();
                blocks.push(block);
            }
        }
        blocks
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let stages_are_whole = self
            .stages
            .iter()
            .all(|s| s.channels > 0 && s.expand_ratio > 0);
        if self.height == 0
            || self.width == 0
            || self.stem_channels == 0
            || self.head_channels == 0
            || self.classes == 0
            || !stages_are_whole
        {
            return Err(BuildError::Unsupported(
                "an empty picture or a layer without channels",
            ));
        }
        Ok(())
    }
}

/// `channels` times a width multiplier, rounded to a multiple of 8 but never down by more than a tenth.
fn scaled_channels(channels: usize, width_tenths: usize) -> usize {
    if width_tenths == 10 {
        return channels;
    }
    let tenths = channels * width_tenths;
    let rounded = ((tenths + 40) / 80 * 8).max(8);
    if rounded * 100 < tenths * 9 {
        rounded + 8
    } else {
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::Architecture;

    #[test]
    fn the_family_has_the_published_shapes() {
        for (architecture, channels, blocks, last_side) in [
            (
                Architecture::lite0(),
                [16, 24, 40, 80, 112, 192, 320],
                16,
                7,
            ),
            (
                Architecture::lite1(),
                [16, 24, 40, 80, 112, 192, 320],
                21,
                8,
            ),
            (
                Architecture::lite2(),
                [16, 24, 48, 88, 120, 208, 352],
                21,
                9,
            ),
        ] {
            assert_eq!(
                architecture
                    .stages
                    .iter()
                    .map(|s| s.channels)
                    .collect::<Vec<_>>(),
                channels
            );
            let list = architecture.blocks();
            assert_eq!(list.len(), blocks);
            assert_eq!(list.last().map(|b| b.output().height), Some(last_side));
        }
    }
}
