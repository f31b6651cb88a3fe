//! The shapes of a network: a stem, stages of inverted-residual blocks, and a head.

use crate::shape::checked_len;
use crate::{BlockConfig, BuildError, MapShape};

/// Blocks of a network, at most: more than any published one has.
const BLOCKS_MAX: usize = 1024;

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

/// Everything that determines the shapes of a network. Each shape in it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    input: MapShape,
    stem_output: MapShape,
    blocks: Vec<BlockConfig>,
    head_channels: usize,
    classes: usize,
}

impl Architecture {
    /// A network on images of `height` x `width` pixels: `conv_stem` with stride 2 makes `stem_channels` of them, the
    /// stages follow in order, and then `conv_head` with `head_channels` and `fc` with `classes` outputs.
    ///
    /// # Errors
    /// [`BuildError::Unsupported`] if a size is 0, a stage has another kernel or stride than those named, or there are
    /// more than 1024 blocks; [`BuildError::TooLarge`] if memory cannot hold a map or a weight.
    pub fn new(
        (height, width): (usize, usize),
        stem_channels: usize,
        stages: &[Stage],
        head_channels: usize,
        classes: usize,
    ) -> Result<Self, BuildError> {
        let input = MapShape::new(height, width, 3)?;
        let stem_output = MapShape::new(height.div_ceil(2), width.div_ceil(2), stem_channels)?;
        let mut blocks = Vec::new();
        let mut map = stem_output;
        for stage in stages {
            for i in 0..stage.repeats {
                if blocks.len() == BLOCKS_MAX {
                    return Err(BuildError::Unsupported("more than 1024 blocks"));
                }
                let block = stage.block(map, i == 0)?;
                map = block.output();
                blocks.push(block);
            }
        }
        MapShape::new(map.height(), map.width(), head_channels)?;
        if classes == 0 {
            return Err(BuildError::Unsupported("a network without classes"));
        }
        checked_len([classes, head_channels])?;
        Ok(Self {
            input,
            stem_output,
            blocks,
            head_channels,
            classes,
        })
    }

    /// The input image, three channels.
    #[must_use]
    pub fn input(&self) -> MapShape {
        self.input
    }

    /// The output of `conv_stem`.
    #[must_use]
    pub fn stem_output(&self) -> MapShape {
        self.stem_output
    }

    /// The blocks in order, each on the output of the one before.
    #[must_use]
    pub fn blocks(&self) -> &[BlockConfig] {
        &self.blocks
    }

    /// What the head reads.
    #[must_use]
    pub fn last_map(&self) -> MapShape {
        self.blocks
            .last()
            .map_or(self.stem_output, BlockConfig::output)
    }

    /// Channels after `conv_head`.
    #[must_use]
    pub fn head_channels(&self) -> usize {
        self.head_channels
    }

    /// Outputs of `fc`.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }
}

impl Stage {
    fn block(&self, input: MapShape, is_first: bool) -> Result<BlockConfig, BuildError> {
        let expanded_channels = match self.expand_ratio {
            1 => None,
            ratio => Some(checked_len([input.channels(), ratio])?),
        };
        let stride = if is_first { self.stride } else { 1 };
        BlockConfig::new(
            input,
            expanded_channels,
            self.kernel_size,
            stride,
            self.channels,
        )
    }
}
