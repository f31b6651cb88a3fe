//! The schedule of a block with squeeze-and-excitation on a large map: all bands are filtered, and their depthwise results
//! kept, before the first of them can be scaled and projected.

use super::banded::{Bands, bands_in, output_line, project};
use super::expand::Input;
use super::layers::Layers;
use super::squeeze_excite::SqueezeExcite;
use crate::micro::AveragePool;
use crate::scratch::Scratch;
use crate::team::{ThreadTeam, split};

/// Runs the block: the threads share out the output rows, twice.
pub(super) fn run(
    layers: &Layers,
    squeeze_excite: &SqueezeExcite,
    team: &mut ThreadTeam,
    input: Input<'_>,
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    scratch.lend(|depthwise, factors, scratch| {
        let (means, rest) = factors.split_at_mut(layers.means_len());
        filter(layers, team, input, depthwise, means, scratch);
        let of_channels = squeeze_excite.factors(means, rest);
        finish(layers, team, input, of_channels, depthwise, output);
    });
}

/// The depthwise result of all bands, and the mean of each channel in each row.
fn filter(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    depthwise: &mut [f32],
    means: &mut [f32],
    scratch: &mut Scratch,
) {
    let shares = || team.shares(layers.rows.output);
    let (channels, line) = (channels(layers), depthwise_line(layers));
    let outputs = split(depthwise, shares().map(|rows| rows.len() * line));
    let means = split(means, shares().map(|rows| rows.len() * channels));
    let parts = shares().zip(outputs).zip(means);
    let len = layers.plan.helper_scratch_len();
    team.for_each_with_scratch(len, scratch, parts, |((rows, output), means), scratch| {
        let mut bands = Bands::new(
            layers,
            &rows,
            input,
            &mut scratch.operands,
            &mut scratch.products,
        );
        let parts = bands_in(layers, rows)
            .zip(output.chunks_mut(layers.plan.band_rows * line))
            .zip(means.chunks_mut(layers.plan.band_rows * channels));
        for ((band, output), means) in parts {
            bands.filter(band, output);
            average_rows(layers, output, means);
        }
    });
}

/// The means `[rows, channels]` of a band's depthwise result, `[groups, rows, columns, group]`.
fn average_rows(layers: &Layers, depthwise: &[f32], means: &mut [f32]) {
    let (group, channels) = (layers.packed_group(), channels(layers));
    let rows = means.len() / channels;
    let row_len = layers.columns.output * group;
    for (i, of_group) in depthwise.chunks_exact(rows * row_len).enumerate() {
        let means = means.chunks_exact_mut(channels);
        for (input, mean) in of_group.chunks_exact(row_len).zip(means) {
            let output = &mut mean[i * group..][..group];
            layers.token.run(AveragePool { input, output });
        }
    }
}

/// Scales and projects band by band.
fn finish(
    layers: &Layers,
    team: &mut ThreadTeam,
    input: Input<'_>,
    factors: &[f32],
    depthwise: &mut [f32],
    output: &mut [f32],
) {
    let (line, depthwise_line) = (output_line(layers), depthwise_line(layers));
    let shares = || team.shares(layers.rows.output);
    let outputs = split(output, shares().map(|rows| rows.len() * line));
    let kept = split(depthwise, shares().map(|rows| rows.len() * depthwise_line));
    team.for_each(shares().zip(kept).zip(outputs), |((rows, kept), output)| {
        let parts = bands_in(layers, rows)
            .zip(kept.chunks_mut(layers.plan.band_rows * depthwise_line))
            .zip(output.chunks_mut(layers.plan.band_rows * line));
        for ((band, depthwise), output) in parts {
            layers.scale(0..layers.depthwise_conv.groups(), factors, depthwise);
            project(layers, band, input, depthwise, output);
        }
    });
}

/// Channels of the depthwise result, padded to whole groups.
fn channels(layers: &Layers) -> usize {
    layers.depthwise_conv.groups() * layers.packed_group()
}

/// Elements in a row of the depthwise result.
fn depthwise_line(layers: &Layers) -> usize {
    layers.columns.output * channels(layers)
}
