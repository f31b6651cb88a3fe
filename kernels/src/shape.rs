//! Shapes of feature maps, and the padding of convolutions.

use crate::BuildError;

/// Channels are stored in multiples of this: one 64-byte cache line of f32, and the widest vector.
pub(crate) const CHANNEL_ALIGN: usize = 16;

/// Elements of a buffer, at most: half of what an allocation can hold, so that two lengths can be added.
const ELEMENTS_MAX: usize = isize::MAX as usize / 2 / size_of::<f32>();

/// The product of `factors`: elements of a buffer.
///
/// # Errors
/// [`BuildError::TooLarge`] if no allocation can hold them.
pub(crate) fn checked_len<const N: usize>(factors: [usize; N]) -> Result<usize, BuildError> {
    factors
        .into_iter()
        .try_fold(1_usize, usize::checked_mul)
        .filter(|len| *len <= ELEMENTS_MAX)
        .ok_or(BuildError::TooLarge)
}

/// A feature map `[height, width, channels]`, stored with its channels padded to a multiple of 16.
///
/// Pixel `(y, x)` begins at `(y * width + x) * channel_stride()`. The padding may hold anything. No size is 0, and the
/// buffer's length is known to fit into memory, so that nothing computed from a shape overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapShape {
    height: usize,
    width: usize,
    channels: usize,
}

impl MapShape {
    /// A map of `height` rows and `width` columns.
    ///
    /// # Errors
    /// [`BuildError::Unsupported`] if a size is 0; [`BuildError::TooLarge`] if memory cannot hold the map.
    pub fn new(height: usize, width: usize, channels: usize) -> Result<Self, BuildError> {
        if height == 0 || width == 0 || channels == 0 {
            return Err(BuildError::Unsupported("a map without pixels or channels"));
        }
        let stride = channels
            .checked_next_multiple_of(CHANNEL_ALIGN)
            .ok_or(BuildError::TooLarge)?;
        checked_len([height, width, stride])?;
        Ok(Self {
            height,
            width,
            channels,
        })
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Channels, without padding.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Elements from one pixel to the next.
    #[must_use]
    pub fn channel_stride(&self) -> usize {
        self.channels.next_multiple_of(CHANNEL_ALIGN)
    }

    /// Rows times columns.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Elements in the map's buffer, padding included.
    #[must_use]
    pub fn buffer_len(&self) -> usize {
        self.pixels() * self.channel_stride()
    }
}

/// One axis of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) input: usize,
    pub(crate) output: usize,
    /// Zeros before the first pixel.
    pub(crate) before: usize,
    /// Pixels that are stored to be read, zeros included.
    pub(crate) padded: usize,
    /// Pixels of the input that the kernel reads: all of them, unless the stride leaves the last ones out.
    pub(crate) read: usize,
}

impl Axis {
    /// SAME padding, as in TensorFlow: `output = ceil(input / stride)`, the odd pixel of padding at the end.
    ///
    /// `input` is the side of a [`MapShape`], so that adding a kernel to it does not overflow.
    pub(crate) fn same(input: usize, kernel_size: usize, stride: usize) -> Self {
        let output = input.div_ceil(stride);
        let touched = (output - 1) * stride + kernel_size;
        Self::new(input, output, touched.saturating_sub(input) / 2, touched)
    }

    /// Explicit padding, as in PyTorch: `None` if no output is left, or some output reads nothing but padding.
    pub(crate) fn explicit(
        input: usize,
        kernel_size: usize,
        stride: usize,
        [before, after]: [usize; 2],
    ) -> Option<Self> {
        if before >= kernel_size || after >= kernel_size {
            return None;
        }
        let steps = (input + before + after).checked_sub(kernel_size)? / stride;
        let touched = steps * stride + kernel_size;
        Some(Self::new(input, steps + 1, before, touched))
    }

    fn new(input: usize, output: usize, before: usize, touched: usize) -> Self {
        Self {
            input,
            output,
            before,
            padded: touched.max(before + input),
            read: (touched - before).min(input),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn same_padding_follows_tensorflow() {
        // (input, kernel, stride) -> (output, before, after)
        for ((input, kernel, stride), expected) in [
            ((224, 3, 2), (112, 0, 1)),
            ((112, 3, 2), (56, 0, 1)),
            ((56, 5, 2), (28, 1, 2)),
            ((65, 5, 2), (33, 2, 2)),
            ((33, 3, 2), (17, 1, 1)),
            ((14, 5, 1), (14, 2, 2)),
            ((112, 3, 1), (112, 1, 1)),
            ((1, 3, 2), (1, 1, 1)),
        ] {
            let axis = Axis::same(input, kernel, stride);
            let after = axis.padded - axis.before - input;
            assert_eq!(
                (axis.output, axis.before, after),
                expected,
                "{input} {kernel} {stride}"
            );
        }
    }

    #[test]
    fn explicit_padding_follows_pytorch() {
        // (input, kernel, stride, padding) -> (output, padded, read)
        for ((input, kernel, stride, padding), expected) in [
            ((224, 3, 2, [1, 1]), (112, 225, 224)),
            ((224, 3, 2, [0, 1]), (112, 225, 224)),
            ((8, 3, 2, [0, 0]), (3, 8, 7)),
            ((7, 5, 2, [2, 2]), (4, 11, 7)),
            ((14, 5, 1, [2, 2]), (14, 18, 14)),
            ((1, 3, 2, [1, 1]), (1, 3, 1)),
        ] {
            let axis = Axis::explicit(input, kernel, stride, padding).expect("a supported axis");
            assert_eq!(
                (axis.output, axis.padded, axis.read),
                expected,
                "{input} {kernel} {stride}"
            );
            assert_eq!(axis.before, padding[0]);
        }
        assert_eq!(Axis::explicit(2, 3, 1, [0, 0]), None);
        assert_eq!(Axis::explicit(9, 3, 1, [3, 0]), None);
        assert_eq!(Axis::explicit(9, 3, 1, [0, 3]), None);
    }
}
