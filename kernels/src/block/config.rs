//! The shape of a block.

use crate::shape::{Axis, checked_len};
use crate::{BuildError, MapShape};

/// The widest group of channels: what padding the channels to whole groups can add, at most.
pub(super) const GROUP_CHANNELS: usize = 48;

/// The depthwise convolution of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DepthwiseConfig {
    pub(crate) kernel_size: usize,
    pub(crate) stride: usize,
    /// Rows above and below, and columns left and right of the map; TensorFlow's SAME if `None`.
    pub(crate) padding: Option<[[usize; 2]; 2]>,
}

impl DepthwiseConfig {
    /// Whether blocks have kernels for it.
    pub(crate) fn is_supported(kernel_size: usize, stride: usize) -> bool {
        matches!((kernel_size, stride), (3 | 5, 1 | 2))
    }
}

/// The shape of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockConfig {
    input: MapShape,
    expanded_channels: Option<usize>,
    kernel_size: usize,
    stride: usize,
    rows: Axis,
    columns: Axis,
    output: MapShape,
    has_residual: bool,
}

impl BlockConfig {
    /// A block that reads `input` and writes `output_channels` channels. Its padding is TensorFlow's SAME, and it adds its
    /// input to its output where both have the same shape.
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
        let depthwise = DepthwiseConfig {
            kernel_size,
            stride,
            padding: None,
        };
        let mut config = Self::with(input, expanded_channels, depthwise, output_channels)?;
        config.has_residual = config.output == config.input;
        Ok(config)
    }

    /// A block without residual.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the padding leaves no output or is as wide as the kernel.
    pub(crate) fn with(
        input: MapShape,
        expanded_channels: Option<usize>,
        depthwise: DepthwiseConfig,
        output_channels: usize,
    ) -> Result<Self, BuildError> {
        let DepthwiseConfig {
            kernel_size,
            stride,
            padding,
        } = depthwise;
        if !DepthwiseConfig::is_supported(kernel_size, stride) {
            return Err(BuildError::Unsupported(
                "a depthwise convolution other than 3 or 5 wide with stride 1 or 2",
            ));
        }
        let axis = |i: usize, input: usize| match padding {
            None => Ok(Axis::same(input, kernel_size, stride)),
            Some(padding) => Axis::explicit(input, kernel_size, stride, padding[i])
                .ok_or(BuildError::Unsupported("padding as wide as the kernel")),
        };
        let (rows, columns) = (axis(0, input.height())?, axis(1, input.width())?);
        let config = Self {
            input,
            expanded_channels,
            kernel_size,
            stride,
            rows,
            columns,
            output: MapShape::new(rows.output, columns.output, output_channels)?,
            has_residual: false,
        };
        config.check_lengths()?;
        Ok(config)
    }

    /// The same block, which adds its input to its output.
    ///
    /// # Errors
    /// [`BuildError::Unsupported`] if they have different shapes.
    pub(crate) fn with_residual(mut self) -> Result<Self, BuildError> {
        if self.output != self.input {
            return Err(BuildError::Unsupported("a residual of another shape"));
        }
        self.has_residual = true;
        Ok(self)
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
        // One row of zeros below the ring's rows, and padding less wide than the kernel on each side of the map.
        let (rows, columns) = (
            self.input.height() + 2 * self.kernel_size + 1,
            self.input.width() + 2 * self.kernel_size,
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

    /// Whether the block adds its input to its output.
    #[must_use]
    pub fn has_residual(&self) -> bool {
        self.has_residual
    }

    pub(super) fn rows(&self) -> Axis {
        self.rows
    }

    pub(super) fn columns(&self) -> Axis {
        self.columns
    }

    /// Channels of the depthwise convolution.
    #[must_use]
    pub fn depthwise_channels(&self) -> usize {
        self.expanded_channels.unwrap_or(self.input.channels())
    }
}
