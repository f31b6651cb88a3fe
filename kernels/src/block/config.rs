//! The shape of a block.

use crate::shape::checked_len;
use crate::{BuildError, MapShape};

/// The widest group of channels: what padding the channels to whole groups can add, at most.
pub(super) const GROUP_CHANNELS: usize = 48;

/// The shape of a block. Padding is TensorFlow's SAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockConfig {
    input: MapShape,
    expanded_channels: Option<usize>,
    kernel_size: usize,
    stride: usize,
    output: MapShape,
}

impl BlockConfig {
    /// A block that reads `input` and writes `output_channels` channels.
    ///
    /// `expanded_channels` are the channels after `expand_conv`, `None` where the block does not expand. `kernel_size`
    /// is the side of the depthwise kernel, 3 or 5, and `stride` its stride, 1 or 2.
    ///
    /// # Errors
    /// [`BuildError::Unsupported`] if a size is 0 or the depthwise convolution is another one; [`BuildError::TooLarge`]
    /// if memory cannot hold a map or a weight of the block.
    pub fn new(
        input: MapShape,
        expanded_channels: Option<usize>,
        kernel_size: usize,
        stride: usize,
        output_channels: usize,
    ) -> Result<Self, BuildError> {
        if !matches!((kernel_size, stride), (3 | 5, 1 | 2)) {
            return Err(BuildError::Unsupported(
                "a depthwise convolution other than 3 or 5 wide with stride 1 or 2",
            ));
        }
        let output = MapShape::new(
            input.height().div_ceil(stride),
            input.width().div_ceil(stride),
            output_channels,
        )?;
        let config = Self {
            input,
            expanded_channels,
            kernel_size,
            stride,
            output,
        };
        config.check_lengths()?;
        Ok(config)
    }

    /// Checks the expanded map with all its padding, and every weight: each buffer of the block is at most as long as
    /// one of them.
    fn check_lengths(&self) -> Result<(), BuildError> {
        let padded = |channels: usize| {
            channels
                .checked_add(GROUP_CHANNELS)
                .ok_or(BuildError::TooLarge)
        };
        let [input, channels, output] = [
            padded(self.input.channels())?,
            padded(self.depthwise_channels())?,
            padded(self.output.channels())?,
        ];
        // One row of zeros below the ring's rows, and one kernel around the map.
        let (rows, columns) = (
            self.input.height() + self.kernel_size + 1,
            self.input.width() + self.kernel_size,
        );
        MapShape::new(rows, columns, self.depthwise_channels())?;
        checked_len([rows, columns, channels])?;
        checked_len([channels, self.kernel_size * self.kernel_size])?;
        checked_len([channels, input])?;
        checked_len([channels, output])?;
        Ok(())
    }

    /// The map that the block reads.
    #[must_use]
    pub fn input(&self) -> MapShape {
        self.input
    }

    /// The map that the block writes.
    #[must_use]
    pub fn output(&self) -> MapShape {
        self.output
    }

    /// Channels after `expand_conv`; `None` where the block does not expand.
    #[must_use]
    pub fn expanded_channels(&self) -> Option<usize> {
        self.expanded_channels
    }

    /// Side of the depthwise kernel: 3 or 5.
    #[must_use]
    pub fn kernel_size(&self) -> usize {
        self.kernel_size
    }

    /// Stride of the depthwise convolution: 1 or 2.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Whether the block adds its input to its output: where both have the same shape.
    #[must_use]
    pub fn has_residual(&self) -> bool {
        self.output == self.input
    }

    /// Channels of the depthwise convolution.
    #[must_use]
    pub fn depthwise_channels(&self) -> usize {
        self.expanded_channels.unwrap_or(self.input.channels())
    }
}
