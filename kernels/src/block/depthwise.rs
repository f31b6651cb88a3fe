//! Depthwise weights in the order in which they are read.

use super::config::GROUP_CHANNELS;
use crate::FoldedConv;
use crate::buffer::Buffer;

/// Depthwise weights, vector by vector `[taps, lanes]`.
#[derive(Debug)]
pub(super) struct PackedDepthwise {
    weights: Buffer,
    bias: Buffer,
    taps: usize,
    group: usize,
}

impl PackedDepthwise {
    /// Packs `conv`, its channels padded with zeros to whole groups of `group` channels.
    pub(super) fn new(conv: FoldedConv<'_>, taps: usize, group: usize, lanes: usize) -> Self {
        let padded = conv.bias.len().next_multiple_of(group);
        let mut weights = Buffer::zeroed(padded * taps);
        for (channel, kernel) in conv.weight.chunks_exact(taps).enumerate() {
            let first = channel / lanes * lanes * taps + channel % lanes;
            for (tap, weight) in kernel.iter().enumerate() {
                weights[first + tap * lanes] = *weight;
            }
        }
        Self {
            weights,
            bias: Buffer::padded(conv.bias, padded),
            taps,
            group,
        }
    }

    /// Channels in a group.
    pub(super) fn group_channels(&self) -> usize {
        self.group
    }

    /// Groups of channels.
    pub(super) fn groups(&self) -> usize {
        self.bias.len() / self.group
    }

    /// Weights and bias of one group.
    pub(super) fn group(&self, group: usize) -> (&[f32], &[f32]) {
        let len = self.taps * self.group;
        (
            &self.weights[group * len..][..len],
            &self.bias[group * self.group..][..self.group],
        )
    }
}

/// The widest group that holds whole panels, divides the channels, and is not too wide: its channels are expanded and
/// convolved together.
pub(super) fn group_width(channels: usize, panel: usize) -> usize {
    let panels = channels / panel;
    let fits = |count: &usize| panels.is_multiple_of(*count) && count * panel <= GROUP_CHANNELS;
    (1..=panels).rev().find(fits).unwrap_or(1) * panel
}
