//! `conv_stem`: a 3 x 3 convolution with stride 2 from an image.

use std::ops::Range;

use crate::activation::Activation;
use crate::isa::Token;
use crate::micro::{Interleave, OutputLayout, Segments};
use crate::packed::{PackedMatrix, Panel, PanelWidths, Rows};
use crate::shape::{Axis, checked_len};
use crate::team::{ThreadTeam, split};
use crate::{BuildError, FoldedConv, Isa, MapShape};

const CHANNELS: usize = 3;
const KERNEL_SIZE: usize = 3;
const STRIDE: usize = 2;

/// The first layer, its weights packed for one instruction set.
///
/// It reads an image `[padded_height, padded_width, 3]` that already carries its zeros; [`Stem::pad_chw`] and
/// [`Stem::pad_hwc`] write one.
#[derive(Debug)]
pub struct Stem {
    rows: Axis,
    columns: Axis,
    conv: PackedMatrix,
    activation: Activation,
    output: MapShape,
}

impl Stem {
    /// Packs `conv_stem` for images of `height` x `width` pixels, with TensorFlow's SAME padding and ReLU6.
    ///
    /// # Errors
    /// [`BuildError::IsaUnavailable`] if the machine lacks the instruction set; [`BuildError::Unsupported`] if a size
    /// is 0; [`BuildError::TooLarge`] if memory cannot hold the image; [`BuildError::Length`] if the weight is not
    /// `[channels, 3, 3, 3]`.
    pub fn new(
        isa: Isa,
        height: usize,
        width: usize,
        conv: FoldedConv<'_>,
    ) -> Result<Self, BuildError> {
        // Their sides may be added to.
        let image = MapShape::new(height, width, CHANNELS)?;
        let axis = |input| Axis::same(input, KERNEL_SIZE, STRIDE);
        let axes = [axis(image.height()), axis(image.width())];
        Self::with(isa.token()?, axes, Activation::RELU6, conv)
    }

    /// As [`new`](Self::new), with the padding of `axes`.
    pub(crate) fn with(
        token: Token,
        [rows, columns]: [Axis; 2],
        activation: Activation,
        conv: FoldedConv<'_>,
    ) -> Result<Self, BuildError> {
        let token = token.in_f32();
        let channels = conv.bias.len();
        let output = MapShape::new(rows.output, columns.output, channels)?;
        checked_len([rows.padded, columns.padded, CHANNELS])?;
        let depth = CHANNELS * KERNEL_SIZE * KERNEL_SIZE;
        conv.check("conv_stem", checked_len([channels, depth])?, channels)?;
        // A window is read row by row, its pixels with their channels side by side.
        let packed =
            PackedMatrix::new(token, conv.bias, depth, PanelWidths::Widest, |output, k| {
                let (tap, channel) = (k / CHANNELS, k % CHANNELS);
                conv.weight[(output * CHANNELS + channel) * KERNEL_SIZE * KERNEL_SIZE + tap]
            })?;
        Ok(Self {
            rows,
            columns,
            conv: packed,
            activation,
            output,
        })
    }

    /// What the layer writes.
    #[must_use]
    pub fn output(&self) -> MapShape {
        self.output
    }

    /// The rows and columns of images that it can read with this window, if it can.
    pub(crate) fn axes(
        input: MapShape,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [[usize; 2]; 2],
    ) -> Option<[Axis; 2]> {
        if input.channels() != CHANNELS || kernel != [KERNEL_SIZE; 2] || stride != [STRIDE; 2] {
            return None;
        }
        let axis = |input, padding| Axis::explicit(input, KERNEL_SIZE, STRIDE, padding);
        Some([
            axis(input.height(), padding[0])?,
            axis(input.width(), padding[1])?,
        ])
    }

    /// What follows the convolution. [`run_into_ring`](Self::run_into_ring) leaves it to its caller, but for limits.
    pub(crate) fn activation(&self) -> Activation {
        self.activation
    }

    /// Elements in the padded image.
    #[must_use]
    pub fn padded_len(&self) -> usize {
        self.rows.padded * self.row_len()
    }

    fn row_len(&self) -> usize {
        self.columns.padded * CHANNELS
    }

    /// Writes an image `[3, height, width]` into a padded one, whose border stays as it is: zeros.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn pad_chw(&self, image: &[f32], padded: &mut [f32]) {
        let (height, width) = (self.rows.input, self.columns.input);
        assert_eq!(
            image.len(),
            CHANNELS * height * width,
            "an image [3, {height}, {width}]"
        );
        let (red, rest) = image.split_at(height * width);
        let (green, blue) = rest.split_at(height * width);
        for (y, output) in self.image_rows(padded).enumerate() {
            let planes = [red, green, blue].map(|plane| &plane[y * width..][..width]);
            self.conv.token().run(Interleave { planes, output });
        }
    }

    /// Writes an image `[height, width, 3]` into a padded one, whose border stays as it is: zeros.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn pad_hwc(&self, image: &[f32], padded: &mut [f32]) {
        let (height, width) = (self.rows.input, self.columns.input);
        assert_eq!(
            image.len(),
            CHANNELS * height * width,
            "an image [{height}, {width}, 3]"
        );
        for (row, from) in self
            .image_rows(padded)
            .zip(image.chunks_exact(width * CHANNELS))
        {
            row.copy_from_slice(from);
        }
    }

    /// Zeros the border of a padded image.
    pub(crate) fn clear_border(&self, padded: &mut [f32]) {
        let (top, left) = (self.rows.before, self.columns.before * CHANNELS);
        let right = left + self.columns.input * CHANNELS;
        for (y, row) in padded.chunks_exact_mut(self.row_len()).enumerate() {
            if (top..top + self.rows.input).contains(&y) {
                row[..left].fill(0.0);
                row[right..].fill(0.0);
            } else {
                row.fill(0.0);
            }
        }
    }

    /// The rows of the image inside a padded one, without their padding: `[width, 3]` each. For a resizer to write into.
    ///
    /// # Panics
    /// If `padded` is not [`padded_len`](Self::padded_len) long.
    pub fn image_rows<'a>(
        &self,
        padded: &'a mut [f32],
    ) -> impl Iterator<Item = &'a mut [f32]> + use<'a> {
        assert_eq!(padded.len(), self.padded_len(), "a padded image");
        let (before, len) = (
            self.columns.before * CHANNELS,
            self.columns.input * CHANNELS,
        );
        let rows = padded
            .chunks_exact_mut(self.row_len())
            .skip(self.rows.before)
            .take(self.rows.input);
        rows.map(move |row| &mut row[before..before + len])
    }

    /// Convolves a padded image into a map of [`output`](Self::output), on this thread.
    ///
    /// # Panics
    /// If a buffer is shorter than its shape says.
    pub fn run(&self, padded: &[f32], output: &mut [f32]) {
        self.run_on(&mut ThreadTeam::solo(), padded, output);
    }

    /// As [`run`](Self::run), on a team.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on(&self, team: &mut ThreadTeam, padded: &[f32], output: &mut [f32]) {
        let line = self.columns.output * self.output.channel_stride();
        let outputs = split(
            output,
            team.shares(self.rows.output).map(|rows| rows.len() * line),
        );
        let parts = team.shares(self.rows.output).zip(outputs);
        team.for_each(parts, |(rows, output)| {
            for (y, output) in rows.zip(output.chunks_exact_mut(line)) {
                for &panel in self.conv.panels() {
                    let layout = OutputLayout::dense(self.output.channel_stride());
                    self.run_row(
                        panel,
                        &padded[y * STRIDE * self.row_len()..],
                        &mut output[panel.first..],
                        layout,
                    );
                }
            }
            self.activation.finish(self.conv.token(), output);
        });
    }

    /// Some output rows into the ring of the block that follows, vector by vector: `[vectors, rows, columns, lanes]`.
    pub(crate) fn run_into_ring(
        &self,
        rows: Range<usize>,
        padded: &[f32],
        ring: &mut [f32],
        row_len: usize,
        plane_len: usize,
    ) {
        let lanes = self.conv.token().lanes();
        let layout = OutputLayout {
            vector_stride: Some(plane_len),
            ..OutputLayout::dense(lanes)
        };
        for (i, y) in rows.enumerate() {
            for &panel in self.conv.panels() {
                let output = &mut ring[panel.first / lanes * plane_len + i * row_len..];
                self.run_row(
                    panel,
                    &padded[y * STRIDE * self.row_len()..],
                    output,
                    layout,
                );
            }
        }
    }

    /// One output row of a panel, from an image that begins at its first input row.
    fn run_row(&self, panel: Panel, padded: &[f32], output: &mut [f32], layout: OutputLayout) {
        let rows = Rows {
            count: self.columns.output,
            input: padded,
            input_stride: STRIDE * CHANNELS,
            segments: Segments {
                count: KERNEL_SIZE,
                len: KERNEL_SIZE * CHANNELS,
                stride: self.row_len(),
            },
            output,
            layout,
            residual: None,
            clamp: self.activation.clamp,
        };
        self.conv.multiply(panel, rows);
    }
}
