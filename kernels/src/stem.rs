//! `conv_stem`: a 3 x 3 convolution with stride 2 from a picture, with ReLU6.

use std::ops::Range;

use crate::micro::{Interleave, OutputLayout, Segments};
use crate::packed::{Cut, PackedMatrix, Panel, Rows};
use crate::shape::SameAxis;
use crate::team::{Team, cut};
use crate::{BuildError, FoldedConv, Kernel, MapShape};

const CHANNELS: usize = 3;
const KERNEL_SIZE: usize = 3;
const STRIDE: usize = 2;

/// The first layer, its weights packed for one kernel.
///
/// It reads a picture `[padded_height, padded_width, 3]` that already carries its zeros; [`Stem::pad_chw`] and
/// [`Stem::pad_hwc`] write one.
#[derive(Debug)]
pub struct Stem {
    rows: SameAxis,
    columns: SameAxis,
    conv: PackedMatrix,
    output: MapShape,
}

impl Stem {
    /// Packs `conv_stem` for pictures of `height` x `width`.
    ///
    /// # Errors
    /// If the machine lacks the kernel's instructions, or the picture is empty, or the weight is not
    /// `[channels, 3, 3, 3]`.
    pub fn new(
        kernel: Kernel,
        height: usize,
        width: usize,
        conv: FoldedConv<'_>,
    ) -> Result<Self, BuildError> {
        let token = kernel.token()?.in_f32();
        let (channels, depth) = (conv.bias.len(), CHANNELS * KERNEL_SIZE * KERNEL_SIZE);
        if height == 0 || width == 0 || channels == 0 {
            return Err(BuildError::Unsupported(
                "an empty picture or a layer without channels",
            ));
        }
        conv.check("conv_stem", channels * depth, channels)?;
        // A window is read row by row, its pixels with their channels side by side.
        let packed = PackedMatrix::new(token, conv.bias, depth, Cut::Wide, |output, k| {
            let (tap, channel) = (k / CHANNELS, k % CHANNELS);
            conv.weight[(output * CHANNELS + channel) * KERNEL_SIZE * KERNEL_SIZE + tap]
        });
        let rows = SameAxis::new(height, KERNEL_SIZE, STRIDE);
        let columns = SameAxis::new(width, KERNEL_SIZE, STRIDE);
        Ok(Self {
            rows,
            columns,
            conv: packed,
            output: MapShape {
                height: rows.output,
                width: columns.output,
                channels,
            },
        })
    }

    /// What the layer writes.
    #[must_use]
    pub fn output(&self) -> MapShape {
        self.output
    }

    /// Numbers in the padded picture.
    #[must_use]
    pub fn padded_len(&self) -> usize {
        self.rows.padded * self.row_len()
    }

    fn row_len(&self) -> usize {
        self.columns.padded * CHANNELS
    }

    /// Writes a picture `[3, height, width]` into a padded one, whose border stays as it is: zeros.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn pad_chw(&self, picture: &[f32], padded: &mut [f32]) {
        let (height, width) = (self.rows.input, self.columns.input);
        assert_eq!(
            picture.len(),
            CHANNELS * height * width,
            "a picture [3, {height}, {width}]"
        );
        let (red, rest) = picture.split_at(height * width);
        let (green, blue) = rest.split_at(height * width);
        for (y, output) in self.picture_rows(padded).enumerate() {
            let planes = [red, green, blue].map(|plane| &plane[y * width..][..width]);
            self.conv.token().run(Interleave { planes, output });
        }
    }

    /// Writes a picture `[height, width, 3]` into a padded one, whose border stays as it is: zeros.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn pad_hwc(&self, picture: &[f32], padded: &mut [f32]) {
        let (height, width) = (self.rows.input, self.columns.input);
        assert_eq!(
            picture.len(),
            CHANNELS * height * width,
            "a picture [{height}, {width}, 3]"
        );
        for (row, from) in self
            .picture_rows(padded)
            .zip(picture.chunks_exact(width * CHANNELS))
        {
            row.copy_from_slice(from);
        }
    }

    /// The rows of the picture inside a padded one, without their padding: `[width, 3]` each. To resize straight into.
    ///
    /// # Panics
    /// If `padded` is not [`padded_len`](Self::padded_len) long.
    pub fn picture_rows<'a>(
        &self,
        padded: &'a mut [f32],
    ) -> impl Iterator<Item = &'a mut [f32]> + use<'a> {
        assert_eq!(padded.len(), self.padded_len(), "a padded picture");
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

    /// Convolves a padded picture into a map of [`output`](Self::output), on this thread.
    ///
    /// # Panics
    /// If a buffer is shorter than its shape says.
    pub fn run(&self, padded: &[f32], output: &mut [f32]) {
        self.run_on(&mut Team::solo(), padded, output);
    }

    /// As [`run`](Self::run), on a team.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on(&self, team: &mut Team, padded: &[f32], output: &mut [f32]) {
        let line = self.columns.output * self.output.channel_stride();
        let outputs = cut(
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

    /// One output row of a panel, from a picture that begins at its first input row.
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
            relu6: true,
        };
        self.conv.multiply(panel, rows);
    }
}
