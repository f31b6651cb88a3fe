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
    let line = layers.columns.output * layers.config.output().channel_stride();
    let rows = layers.rows.output;
    let outputs = split(output, team.shares(rows).map(|rows| rows.len() * line));
    let parts = team.shares(rows).zip(outputs);
    let len = layers.plan.helper_scratch_len();
    team.for_each_with_scratch(len, scratch, parts, |(rows, output), scratch| {
        run_rows(layers, rows, input, output, scratch);
    });
}

/// Some output rows, band by band; `output` begins at the first of them.
fn run_rows(
    layers: &Layers,
    rows: Range<usize>,
    input: Input<'_>,
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let Scratch {
        packed,
        ring,
        depthwise,
    } = scratch;
    let (config, plan) = (&layers.config, &layers.plan);
    let rings = &mut ring[..plan.rings_len()];
    plan.ring.clear_padding(rings);
    let width = layers.columns.output;
    let line = width * config.output().channel_stride();
    let mut expanded = (rows.start * config.stride()).saturating_sub(layers.rows.before);
    for first in rows.clone().step_by(plan.band_rows) {
        let band = first..(first + plan.band_rows).min(rows.end);
        let touched = (band.end - 1) * config.stride() + config.kernel_size();
        let needed = (touched - layers.rows.before).min(layers.rows.input);
        let group_len = band.len() * width * layers.packed_group();
        let entering = layers.pack_input(expanded..needed, input, packed);
        let groups = rings
            .chunks_exact_mut(plan.ring.len())
            .zip(depthwise.chunks_exact_mut(group_len));
        for (group, (ring, output)) in groups.enumerate() {
            layers.expand(group, expanded..needed, entering, ring);
            layers.convolve(group, band.clone(), ring, output);
        }
        expanded = needed;
        let pixels = band.start * width..band.end * width;
        let output = &mut output[(first - rows.start) * line..];
        layers.project(
            pixels.clone(),
            pixels,
            layers.residual(input),
            depthwise,
            output,
        );
    }
}
