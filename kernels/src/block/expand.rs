//! Where a block's expanded rows come from: `expand_conv`, the input as it is, or the stem.

use std::ops::Range;

use super::layers::Layers;
use crate::Stem;
use crate::activation::Activation;
use crate::micro::{Gather, OutputLayout, Segments};
use crate::packed::{PackedMatrix, Rows};

/// What a block reads.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// A map of the block's input shape.
    Map(&'a [f32]),
    /// The stem, on a padded image.
    Image { stem: &'a Stem, padded: &'a [f32] },
}

impl Layers {
    /// The map to add to the output, where the block adds one.
    pub(super) fn residual<'a>(&self, input: Input<'a>) -> Option<&'a [f32]> {
        match input {
            Input::Map(map) if self.config.has_residual() => Some(map),
            _ => None,
        }
    }

    /// Some input rows, from the first of them on, as [`expand`](Self::expand) reads them: packed into `packed` where
    /// `expand_conv` reads packed pairs.
    pub(super) fn pack_input<'a>(
        &self,
        rows: Range<usize>,
        input: Input<'a>,
        packed: &'a mut [f32],
    ) -> Input<'a> {
        let Input::Map(map) = input else {
            return input;
        };
        let stride = self.config.input().channel_stride();
        let line = self.columns.input * stride;
        let map = &map[rows.start * line..rows.end * line];
        Input::Map(match &self.expand_conv {
            Some(conv) => conv.pack_rows(map, stride, packed),
            None => map,
        })
    }

    /// Expands some input rows into their slots of the group's ring; a map in `input` begins at the first of them.
    pub(super) fn expand(
        &self,
        group: usize,
        rows: Range<usize>,
        input: Input<'_>,
        ring: &mut [f32],
    ) {
        let line = self.columns.input * self.packed_pixel();
        let begin = rows.start;
        for (run, first) in self.plan.ring.slots(rows) {
            let ring = &mut ring[first..];
            let count = run.len();
            match (input, &self.expand_conv) {
                (Input::Image { stem, padded }, _) => {
                    let (row_len, plane_len) =
                        (self.plan.ring.row_len(), self.plan.ring.plane_len());
                    stem.run_into_ring(run, padded, ring, row_len, plane_len);
                    self.finish(stem.activation(), count, ring);
                }
                (Input::Map(map), expand_conv) => {
                    let map = &map[(run.start - begin) * line..(run.end - begin) * line];
                    match expand_conv {
                        Some(conv) => {
                            self.expand_rows(conv, group, map, ring);
                            self.finish(self.activations.expand, count, ring);
                        }
                        None => self.copy_rows(group, map, ring),
                    }
                }
            }
        }
    }

    /// Elements or packed pairs from one pixel of the input to the next, as [`expand`](Self::expand) reads them.
    fn packed_pixel(&self) -> usize {
        let stride = self.config.input().channel_stride();
        match &self.expand_conv {
            Some(_) => stride / self.token.pack_factor(),
            None => stride,
        }
    }

    /// Expands packed rows `[rows, columns, packed_pixel]`; `ring` begins at the first pixel of the first row.
    fn expand_rows(&self, conv: &PackedMatrix, group: usize, input: &[f32], ring: &mut [f32]) {
        let layout = self.plan.ring;
        let width = self.depthwise_conv.group_channels();
        let stride = self.packed_pixel();
        let panels = width / conv.panels()[0].width;
        for &panel in &conv.panels()[group * panels..][..panels] {
            let vector = (panel.first - group * width) / layout.lanes;
            conv.multiply(
                panel,
                Rows {
                    count: input.len() / stride,
                    input,
                    input_stride: stride,
                    segments: Segments::contiguous(conv.packed_depth()),
                    output: &mut ring[vector * layout.plane_len()..],
                    layout: OutputLayout {
                        stride: layout.lanes,
                        line: self.columns.input,
                        line_stride: layout.row_len(),
                        vector_stride: Some(layout.plane_len()),
                    },
                    residual: None,
                    clamp: self.activations.expand.clamp,
                },
            );
        }
    }

    /// What follows the layer that wrote `rows` rows into the ring. The padding around them stays as it is.
    fn finish(&self, activation: Activation, rows: usize, ring: &mut [f32]) {
        let layout = self.plan.ring;
        let (row_len, len) = (layout.row_len(), self.columns.input * layout.lanes);
        for plane in ring.chunks_mut(layout.plane_len()).take(layout.vectors) {
            let rows = &mut plane[..(rows - 1) * row_len + len];
            activation.finish_lines(self.token, rows, len, row_len);
        }
    }

    /// Where the block does not expand, its input takes the place of expanded rows.
    fn copy_rows(&self, group: usize, input: &[f32], ring: &mut [f32]) {
        let layout = self.plan.ring;
        let (lanes, width) = (layout.lanes, self.depthwise_conv.group_channels());
        let (channels, stride) = (
            self.config.input().channels(),
            self.config.input().channel_stride(),
        );
        for vector in 0..width / lanes {
            let plane = &mut ring[vector * layout.plane_len()..];
            let channel = group * width + vector * lanes;
            let rows = input.chunks_exact(self.columns.input * stride);
            for (from, to) in rows.zip(plane.chunks_mut(layout.row_len())) {
                let output = &mut to[..self.columns.input * lanes];
                self.token.run(Gather {
                    input: &from[channel..],
                    stride,
                    output,
                });
                // The channels' padding may hold anything, also what no weight of 0 makes 0.
                if channel + lanes > channels {
                    for pixel in output.chunks_exact_mut(lanes) {
                        pixel[channels - channel..].fill(0.0);
                    }
                }
            }
        }
    }
}
