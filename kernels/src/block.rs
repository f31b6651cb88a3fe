//! An inverted-residual (MBConv) block: expand, depthwise, project, and the residual, as one operation.

mod config;
mod depthwise;
mod plan;
mod scratch;

pub use config::BlockConfig;
pub use scratch::Scratch;

use std::ops::Range;

use depthwise::{PackedDepthwise, group_width};
use plan::Plan;

use crate::kernel::Token;
use crate::micro::{Depthwise, OutputLayout, Segments};
use crate::packed::{Cut, PackedMatrix, Rows};
use crate::shape::SameAxis;
use crate::team::{Team, cut};
use crate::{BlockWeights, BuildError, Kernel, Stem};

/// One block, its weights packed for one kernel.
///
/// Expanded channels are never stored for the whole map. They are computed in groups: for a small map, one group over
/// all rows; for a large one, a band of rows over all groups, in rings that keep the rows which the next band needs.
/// The depthwise result of the map or of the band then feeds `project_conv`.
#[derive(Debug)]
pub struct Block {
    config: BlockConfig,
    token: Token,
    rows: SameAxis,
    columns: SameAxis,
    expand_conv: Option<PackedMatrix>,
    depthwise_conv: PackedDepthwise,
    project_conv: PackedMatrix,
    groups: usize,
    plan: Plan,
}

impl Block {
    /// Packs the weights of a block.
    ///
    /// # Errors
    /// If the machine lacks the kernel's instructions, or the shape is not covered, or weights and shape disagree.
    pub fn new(
        kernel: Kernel,
        config: BlockConfig,
        weights: &BlockWeights<'_>,
    ) -> Result<Self, BuildError> {
        let token = kernel.token()?;
        config.check()?;
        let (input, channels, output) = (
            config.input.channels,
            config.depthwise_channels(),
            config.output_channels,
        );
        let taps = config.kernel_size * config.kernel_size;
        weights
            .depthwise_conv
            .check("depthwise_conv", channels * taps, channels)?;
        weights
            .project_conv
            .check("project_conv", output * channels, output)?;
        let expand_conv = match (config.expanded_channels, weights.expand_conv) {
            (None, None) => None,
            (Some(_), Some(conv)) => {
                conv.check("expand_conv", channels * input, channels)?;
                Some(PackedMatrix::new(
                    token,
                    conv.bias,
                    input,
                    Cut::Even,
                    |o, k| conv.weight[o * input + k],
                ))
            }
            (expected, found) => {
                let [expected, found] = [expected.is_some(), found.is_some()].map(usize::from);
                return Err(BuildError::Length {
                    layer: "expand_conv",
                    expected,
                    found,
                });
            }
        };
        let panel = expand_conv
            .as_ref()
            .map_or(token.lanes(), |conv| conv.panels()[0].width);
        let group = group_width(channels.next_multiple_of(token.lanes()), panel);
        let depthwise_conv =
            PackedDepthwise::new(weights.depthwise_conv, taps, group, token.lanes());
        let groups = depthwise_conv.bias.len() / group;
        let project = weights.project_conv;
        let project_conv =
            PackedMatrix::new(token, project.bias, groups * group, Cut::Halves, |o, k| {
                if k < channels {
                    project.weight[o * channels + k]
                } else {
                    0.0
                }
            });
        let rows = SameAxis::new(config.input.height, config.kernel_size, config.stride);
        let columns = SameAxis::new(config.input.width, config.kernel_size, config.stride);
        let plan = Plan::new(&config, rows, columns, groups, group, token);
        Ok(Self {
            config,
            token,
            rows,
            columns,
            expand_conv,
            depthwise_conv,
            project_conv,
            groups,
            plan,
        })
    }

    /// The shape it was built with.
    #[must_use]
    pub fn config(&self) -> &BlockConfig {
        &self.config
    }

    /// Runs the block on this thread: `input` and `output` are maps of `config().input` and `config().output()`.
    ///
    /// # Panics
    /// If a map is shorter than its shape says, or `scratch` was made for smaller blocks.
    pub fn run(&self, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        self.run_on(
            &mut Team::solo(),
            input,
            output,
            std::slice::from_mut(scratch),
        );
    }

    /// Whether [`run_with_stem_on`](Self::run_with_stem_on) can run the block: where it neither expands nor adds its
    /// input, and is narrow enough for one group.
    #[must_use]
    pub fn can_run_with_stem(&self) -> bool {
        self.expand_conv.is_none() && !self.config.has_residual() && self.groups == 1
    }

    /// Runs `stem` and the block as one, so that the network's largest map is never stored: the stem's rows take the
    /// place of expanded ones. `padded` is the picture as [`Stem::run`] takes it.
    ///
    /// # Panics
    /// As [`run_on`](Self::run_on), or if the block is not one that [`can_run_with_stem`](Self::can_run_with_stem), or
    /// reads another map than the stem writes.
    pub fn run_with_stem_on(
        &self,
        team: &mut Team,
        stem: &Stem,
        padded: &[f32],
        output: &mut [f32],
        scratch: &mut [Scratch],
    ) {
        assert!(
            self.can_run_with_stem(),
            "a block that can follow the stem directly"
        );
        assert_eq!(
            self.config.input,
            stem.output(),
            "the map that the stem writes"
        );
        self.run_from(team, Source::Picture { stem, padded }, output, scratch);
    }

    /// Runs the block on a team, with one scratch for each of its threads. The result is the same to the last bit.
    ///
    /// # Panics
    /// As [`run`](Self::run), or if a thread lacks its scratch.
    pub fn run_on(
        &self,
        team: &mut Team,
        input: &[f32],
        output: &mut [f32],
        scratch: &mut [Scratch],
    ) {
        self.run_from(team, Source::Map(input), output, scratch);
    }

    fn run_from(
        &self,
        team: &mut Team,
        input: Source<'_>,
        output: &mut [f32],
        scratch: &mut [Scratch],
    ) {
        assert!(scratch.len() >= team.threads(), "a scratch for each thread");
        let output = &mut output[..self.config.output().buffer_len()];
        if self.plan.band_rows == self.rows.output {
            self.run_whole(team, input, output, scratch);
        } else {
            let line = self.columns.output * self.config.output().channel_stride();
            let outputs = cut(
                output,
                team.shares(self.rows.output).map(|rows| rows.len() * line),
            );
            let parts = team.shares(self.rows.output).zip(outputs).zip(scratch);
            team.for_each(parts, |((rows, output), scratch)| {
                self.run_bands(rows, input, output, scratch)
            });
        }
    }

    /// A small map: the threads share out the groups, and then the pixels to project.
    fn run_whole(
        &self,
        team: &mut Team,
        input: Source<'_>,
        output: &mut [f32],
        scratch: &mut [Scratch],
    ) {
        let mut depthwise = std::mem::take(&mut scratch[0].depthwise);
        let pixels = self.rows.output * self.columns.output;
        let group_len = pixels * self.group_words();
        let outputs = cut(
            &mut depthwise,
            team.shares(self.groups)
                .map(|groups| groups.len() * group_len),
        );
        let parts = team.shares(self.groups).zip(outputs).zip(&mut *scratch);
        team.for_each(parts, |((groups, output), scratch)| {
            let ring = &mut scratch.ring[..self.plan.ring_len()];
            self.clear_padding(ring);
            let rows = 0..self.rows.input;
            let input = self.entering(rows.clone(), input, &mut scratch.converted);
            for (group, output) in groups.zip(output.chunks_exact_mut(group_len)) {
                self.expand(group, rows.clone(), input, ring);
                self.convolve(group, 0..self.rows.output, ring, output);
            }
        });
        let stride = self.config.output().channel_stride();
        let outputs = cut(
            output,
            team.shares(pixels).map(|share| share.len() * stride),
        );
        let parts = team.shares(pixels).zip(outputs);
        team.for_each(parts, |(share, output)| {
            self.project(share, 0..pixels, input, &depthwise, output)
        });
        scratch[0].depthwise = depthwise;
    }

    /// Some output rows of a large map, band by band; `output` begins at the first of them.
    fn run_bands(
        &self,
        rows: Range<usize>,
        input: Source<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Scratch {
            converted,
            ring,
            depthwise,
        } = scratch;
        let ring_len = self.plan.ring_len();
        let ring = &mut ring[..self.groups * ring_len];
        self.clear_padding(ring);
        let width = self.columns.output;
        let line = width * self.config.output().channel_stride();
        let mut expanded = (rows.start * self.config.stride).saturating_sub(self.rows.before);
        for first in rows.clone().step_by(self.plan.band_rows) {
            let band = first..(first + self.plan.band_rows).min(rows.end);
            let touched = (band.end - 1) * self.config.stride + self.config.kernel_size;
            let needed = (touched - self.rows.before).min(self.rows.input);
            let group_len = band.len() * width * self.group_words();
            let entering = self.entering(expanded..needed, input, converted);
            let groups = ring
                .chunks_exact_mut(ring_len)
                .zip(depthwise.chunks_exact_mut(group_len));
            for (group, (ring, output)) in groups.enumerate() {
                self.expand(group, expanded..needed, entering, ring);
                self.convolve(group, band.clone(), ring, output);
            }
            expanded = needed;
            let pixels = band.start * width..band.end * width;
            let output = &mut output[(first - rows.start) * line..];
            self.project(pixels.clone(), pixels, input, depthwise, output);
        }
    }

    /// Zeros what lies around the map in every ring: the columns left and right of it, and the row of zeros.
    fn clear_padding(&self, ring: &mut [f32]) {
        let lanes = self.token.lanes();
        let left = self.columns.before * lanes;
        let right = left + self.columns.input * lanes;
        let rings = &mut ring[..self.plan.ring_groups * self.plan.ring_len()];
        for plane in rings.chunks_exact_mut(self.plan.plane_len()) {
            let (rows, zeros) = plane.split_at_mut(self.plan.ring_rows * self.plan.row_len);
            for row in rows.chunks_exact_mut(self.plan.row_len) {
                row[..left].fill(0.0);
                row[right..].fill(0.0);
            }
            zeros.fill(0.0);
        }
    }

    /// Some input rows, from the first of them on, as `expand_conv` reads them.
    fn entering<'a>(
        &self,
        rows: Range<usize>,
        input: Source<'a>,
        converted: &'a mut [f32],
    ) -> Source<'a> {
        let Source::Map(map) = input else {
            return input;
        };
        let stride = self.config.input.channel_stride();
        let line = self.columns.input * stride;
        let map = &map[rows.start * line..rows.end * line];
        Source::Map(match &self.expand_conv {
            Some(conv) => conv.words_of(map, stride, converted),
            None => map,
        })
    }

    /// Some input rows, expanded into their slots of the group's ring; a map in `input` begins at the first of them.
    fn expand(&self, group: usize, mut rows: Range<usize>, input: Source<'_>, ring: &mut [f32]) {
        let line = match &self.expand_conv {
            Some(_) => self.columns.input * self.input_words(),
            None => self.columns.input * self.config.input.channel_stride(),
        };
        let begin = rows.start;
        while !rows.is_empty() {
            // Up to the end of the ring, then on from its beginning.
            let slot = rows.start % self.plan.ring_rows;
            let end = rows.end.min(rows.start + self.plan.ring_rows - slot);
            let first = slot * self.plan.row_len + self.columns.before * self.token.lanes();
            let ring = &mut ring[first..];
            match (input, &self.expand_conv) {
                (Source::Picture { stem, padded }, _) => {
                    stem.run_into_ring(
                        rows.start..end,
                        padded,
                        ring,
                        self.plan.row_len,
                        self.plan.plane_len(),
                    );
                }
                (Source::Map(input), expand_conv) => {
                    let input = &input[(rows.start - begin) * line..(end - begin) * line];
                    match expand_conv {
                        Some(conv) => self.expand_rows(conv, group, input, ring),
                        None => self.copy_rows(group, input, ring),
                    }
                }
            }
            rows.start = end;
        }
    }

    /// Words from one pixel to the next, as `expand_conv` reads them.
    fn input_words(&self) -> usize {
        self.config.input.channel_stride() / self.token.numbers_in_word()
    }

    /// Words of one pixel of a group, as `project_conv` reads them.
    fn group_words(&self) -> usize {
        self.depthwise_conv.group / self.token.numbers_in_word()
    }

    /// Expands `[rows, columns, words of channels]`; `ring` begins at the first pixel of the first row.
    fn expand_rows(&self, conv: &PackedMatrix, group: usize, input: &[f32], ring: &mut [f32]) {
        let (lanes, width) = (self.token.lanes(), self.depthwise_conv.group);
        let stride = self.input_words();
        let panels = width / conv.panels()[0].width;
        for &panel in &conv.panels()[group * panels..][..panels] {
            let vector = (panel.first - group * width) / lanes;
            conv.multiply(
                panel,
                Rows {
                    count: input.len() / stride,
                    input,
                    input_stride: stride,
                    segments: Segments::contiguous(conv.words()),
                    output: &mut ring[vector * self.plan.plane_len()..],
                    layout: OutputLayout {
                        stride: lanes,
                        line: self.columns.input,
                        line_stride: self.plan.row_len,
                        vector_stride: Some(self.plan.plane_len()),
                    },
                    residual: None,
                    relu6: true,
                },
            );
        }
    }

    /// Where the block does not expand, its input takes the place of expanded rows.
    fn copy_rows(&self, group: usize, input: &[f32], ring: &mut [f32]) {
        let (lanes, width) = (self.token.lanes(), self.depthwise_conv.group);
        let stride = self.config.input.channel_stride();
        for vector in 0..width / lanes {
            let plane = &mut ring[vector * self.plan.plane_len()..];
            let channel = group * width + vector * lanes;
            let rows = input.chunks_exact(self.columns.input * stride);
            for (from, to) in rows.zip(plane.chunks_mut(self.plan.row_len)) {
                for (to, from) in to.chunks_exact_mut(lanes).zip(from.chunks_exact(stride)) {
                    to.copy_from_slice(&from[channel..][..lanes]);
                }
            }
        }
    }

    /// The depthwise convolution of one group over one band.
    fn convolve(&self, group: usize, band: Range<usize>, ring: &[f32], output: &mut [f32]) {
        let (weights, bias) = self.depthwise_conv.group(group);
        self.token.run(Depthwise {
            ring,
            ring_rows: self.plan.ring_rows,
            ring_columns: self.columns.padded,
            height: self.rows.input,
            pad_top: self.rows.before,
            weights,
            bias,
            kernel_size: self.config.kernel_size,
            stride: self.config.stride,
            rows: band,
            columns: self.columns.output,
            output,
        });
    }

    /// The projection of `pixels`, plus the residual, where `depthwise` holds the pixels `held` and `output` begins at
    /// the first of `pixels`.
    fn project(
        &self,
        pixels: Range<usize>,
        held: Range<usize>,
        input: Source<'_>,
        depthwise: &[f32],
        output: &mut [f32],
    ) {
        let group = self.group_words();
        let stride = self.config.output().channel_stride();
        let residual = match input {
            Source::Map(input) if self.config.has_residual() => {
                Some(&input[pixels.start * stride..pixels.end * stride])
            }
            _ => None,
        };
        for &panel in self.project_conv.panels() {
            self.project_conv.multiply(
                panel,
                Rows {
                    count: pixels.len(),
                    input: &depthwise[(pixels.start - held.start) * group..],
                    input_stride: group,
                    segments: Segments {
                        count: self.groups,
                        len: group,
                        stride: held.len() * group,
                    },
                    output: &mut output[panel.first..],
                    layout: OutputLayout::dense(stride),
                    residual: residual.map(|residual| &residual[panel.first..]),
                    relu6: false,
                },
            );
        }
    }
}

/// Where a block takes its input from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// A map of the block's input shape.
    Map(&'a [f32]),
    /// The stem, on a padded picture.
    Picture { stem: &'a Stem, padded: &'a [f32] },
}
