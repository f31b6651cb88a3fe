//! The schedule of a block on a small map: group by group over all rows, then one projection.

use super::expand::Input;
use super::layers::Layers;
use crate::micro::AveragePool;
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
    scratch.lend(|depthwise, factors, scratch| {
        let (means, rest) = factors.split_at_mut(layers.means_len());
        filter(layers, team, input, depthwise, means, scratch);
        if let Some(squeeze_excite) = &layers.squeeze_excite {
            let factors = squeeze_excite.factors(means, rest);
            scale(layers, team, factors, depthwise);
        }
        project(layers, team, input, depthwise, output);
    });
}

/// The depthwise result of the whole map, `[groups, pixels, packed_group]`, and the mean of each channel where those are
/// needed.
fn filter(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    depthwise: &mut [f32],
    means: &mut [f32],
    scratch: &mut Scratch,
) {
    let (groups, group) = (
        layers.depthwise_conv.groups(),
        layers.depthwise_conv.group_channels(),
    );
    let group_len = group_len(layers);
    let shares = || team.shares(groups);
    let outputs = split(depthwise, shares().map(|groups| groups.len() * group_len));
    let needs_means = layers.squeeze_excite.is_some();
    let means = split(
        means,
        shares().map(|groups| if needs_means { groups.len() * group } else { 0 }),
    );
    let parts = shares().zip(outputs).zip(means);
    let len = layers.plan.helper_scratch_len();
    team.for_each_with_scratch(len, scratch, parts, |((groups, output), means), scratch| {
        let ring = &mut scratch.products[..layers.plan.ring.len()];
        layers.plan.ring.clear_padding(ring);
        let rows = 0..layers.rows.read;
        let input = layers.pack_input(rows.clone(), input, &mut scratch.operands);
        let mut means = means.chunks_exact_mut(group);
        for (group, output) in groups.zip(output.chunks_exact_mut(group_len)) {
            layers.expand(group, rows.clone(), input, ring);
            layers.convolve(group, 0..layers.rows.output, ring, output);
            if let Some(mean) = means.next() {
                layers.token.run(AveragePool {
                    input: output,
                    output: mean,
                });
            }
        }
    });
}

/// Elements or packed pairs in the depthwise result of a group.
fn group_len(layers: &Layers) -> usize {
    layers.rows.output * layers.columns.output * layers.packed_group()
}

fn scale(layers: &Layers, team: &mut ThreadTeam, factors: &[f32], depthwise: &mut [f32]) {
    let shares = || team.shares(layers.depthwise_conv.groups());
    let parts = split(
        depthwise,
        shares().map(|groups| groups.len() * group_len(layers)),
    );
    team.for_each(shares().zip(parts), |(groups, depthwise)| {
        layers.scale(groups, factors, depthwise);
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
