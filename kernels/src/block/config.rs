//! The shape of a block.

use crate::{BuildError, MapShape};

/// The shape of a block. Padding is TensorFlow's SAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockConfig {
    /// What the block reads.
    pub input: MapShape,
    /// Channels after `expand_conv`; `None` where the block does not expand.
    pub expanded_channels: Option<usize>,
    /// Side of the depthwise kernel: 3 or 5.
    pub kernel_size: usize,
    /// Stride of the depthwise convolution: 1 or 2.
    pub stride: usize,
    /// Channels after `project_conv`.
    pub output_channels: usize,
}

impl BlockConfig {
    /// What the block writes.
    #[must_use]
    pub fn output(&self) -> MapShape {
        MapShape {
            height: self.input.height.div_ceil(self.stride),
            width: self.input.width.div_ceil(self.stride),
            channels: self.output_channels,
        }
    }

    /// Whether the block adds its input to its output: where both have the same shape.
    #[must_use]
    pub fn has_residual(&self) -> bool {
        self.output() == self.input
    }

    pub(super) fn depthwise_channels(&self) -> usize {
        self.expanded_channels.unwrap_or(self.input.channels)
    }

    pub(super) fn check(&self) -> Result<(), BuildError> {
        if !matches!((self.kernel_size, self.stride), (3 | 5, 1 | 2)) {
            return Err(BuildError::Unsupported(
                "a depthwise convolution other than 3 or 5 wide with stride 1 or 2",
            ));
        }
        if self.input.pixels() == 0
            || self.depthwise_channels() == 0
            || self.input.channels == 0
            || self.output_channels == 0
        {
            return Err(BuildError::Unsupported(
                "a block without pixels or channels",
            ));
        }
        Ok(())
    }
}
