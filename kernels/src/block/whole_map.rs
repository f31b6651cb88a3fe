//! The schedule of a block on a small map: group by group over all rows, then one projection.

use super::expand::Input;
use super::layers::Layers;
use crate::scratch::Scratch;
use crate::team::{ThreadTeam, split};

/// Runs the block: the threads share out the groups, and then the pixels to project.
pub(super) fn run(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let mut depthwise = std::mem::take(&mut scratch.depthwise);
    filter(layers, team, input, &mut depthwise, scratch);
    project(layers, team, input, &depthwise, output);
    scratch.depthwise = depthwise;
}

/// The depthwise result of the whole map: `[groups, pixels, packed_group]`.
fn filter(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    depthwise: &mut [f32],
    scratch: &mut Scratch,
) {
    let groups = layers.depthwise_conv.groups();
    let group_len = layers.rows.output * layers.columns.output * layers.packed_group();
    let outputs = split(
        depthwise,
        team.shares(groups).map(|groups| groups.len() * group_len),
    );
    let parts = team.shares(groups).zip(outputs);
    let len = layers.plan.helper_scratch_len();
    team.for_each_with_scratch(len, scratch, parts, |(groups, output), scratch| {
        let ring = &mut scratch.ring[..layers.plan.ring.len()];
        layers.plan.ring.clear_padding(ring);
        let rows = 0..layers.rows.input;
        let input = layers.pack_input(rows.clone(), input, &mut scratch.packed);
        for (group, output) in groups.zip(output.chunks_exact_mut(group_len)) {
            layers.expand(group, rows.clone(), input, ring);
            layers.convolve(group, 0..layers.rows.output, ring, output);
        }
    });
}

fn project(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    depthwise: &[f32],
    output: &mut [f32],
) {
    let pixels = layers.rows.output * layers.columns.output;
    let stride = layers.config.output().channel_stride();
    let residual = layers.residual(input);
    let outputs = split(
        output,
        team.shares(pixels).map(|share| share.len() * stride),
    );
    let parts = team.shares(pixels).zip(outputs);
    team.for_each(parts, |(share, output)| {
        layers.project(share, 0..pixels, residual, depthwise, output);
    });
}
