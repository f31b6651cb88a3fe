//! The schedule of a block on a large map: band by band over all groups.

use std::ops::Range;

use super::expand::Input;
use super::layers::Layers;
use crate::scratch::Scratch;
use crate::team::{ThreadTeam, split};

/// Runs the block: the threads share out the output rows.
pub(super) fn run(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let line = output_line(layers);
    let rows = layers.rows.output;
    let outputs = split(output, team.shares(rows).map(|rows| rows.len() * line));
    let parts = team.shares(rows).zip(outputs);
    let len = layers.plan.helper_scratch_len();
    team.for_each_with_scratch(len, scratch, parts, |(rows, output), scratch| {
        let Scratch {
            operands: packed,
            products: ring,
            depthwise,
            ..
        } = scratch;
        let mut bands = Bands::new(layers, &rows, input, packed, ring);
        let bands_of_output = output.chunks_mut(layers.plan.band_rows * line);
        for (band, output) in bands_in(layers, rows).zip(bands_of_output) {
            bands.filter(band.clone(), depthwise);
            project(layers, band, input, depthwise, output);
        }
    });
}

/// The output rows of each band.
pub(super) fn bands_in(layers: &Layers, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let band_rows = layers.plan.band_rows;
    let firsts = rows.clone().step_by(band_rows);
    firsts.map(move |first| first..(first + band_rows).min(rows.end))
}

/// Elements in an output row.
pub(super) fn output_line(layers: &Layers) -> usize {
    layers.columns.output * layers.config.output().channel_stride()
}

/// `depthwise` and `output` begin at the band.
pub(super) fn project(
    layers: &Layers,
    band: Range<usize>,
    input: Input<'_>,
    depthwise: &[f32],
    output: &mut [f32],
) {
    let width = layers.columns.output;
    let pixels = band.start * width..band.end * width;
    let residual = layers.residual(input);
    layers.project(pixels.clone(), pixels, residual, depthwise, output);
}

/// The first half of a block, for bands from the top to the bottom.
pub(super) struct Bands<'a> {
    layers: &'a Layers,
    input: Input<'a>,
    packed: &'a mut [f32],
    rings: &'a mut [f32],
    /// The next input row to expand.
    expanded: usize,
}

impl<'a> Bands<'a> {
    pub(super) fn new(
        layers: &'a Layers,
        rows: &Range<usize>,
        input: Input<'a>,
        packed: &'a mut [f32],
        ring: &'a mut [f32],
    ) -> Self {
        let rings = &mut ring[..layers.plan.rings_len()];
        layers.plan.ring.clear_padding(rings);
        Self {
            layers,
            input,
            packed,
            rings,
            expanded: (rows.start * layers.config.stride()).saturating_sub(layers.rows.before),
        }
    }

    /// The depthwise result of a band: `[groups, pixels, packed_group]`.
    pub(super) fn filter(&mut self, band: Range<usize>, depthwise: &mut [f32]) {
        let (layers, config) = (self.layers, &self.layers.config);
        let touched = (band.end - 1) * config.stride() + config.kernel_size();
        let needed = (touched - layers.rows.before).min(layers.rows.input);
        let group_len = band.len() * layers.columns.output * layers.packed_group();
        let rows = self.expanded..needed;
        let entering = layers.pack_input(rows.clone(), self.input, self.packed);
        let groups = self
            .rings
            .chunks_exact_mut(layers.plan.ring.len())
            .zip(depthwise.chunks_exact_mut(group_len));
        for (group, (ring, output)) in groups.enumerate() {
            layers.expand(group, rows.clone(), entering, ring);
            layers.convolve(group, band.clone(), ring, output);
        }
        self.expanded = needed;
    }
}
