//! The end of the network: `conv_head` with ReLU6, global average pooling, and `fc`.

use std::ops::Range;

use crate::buffer::Buffer;
use crate::isa::Token;
use crate::micro::{AveragePool, OutputLayout, RELU6, Segments};
use crate::packed::{PackedMatrix, PanelWidths, Rows};
use crate::shape::checked_len;
use crate::team::{ThreadTeam, split};
use crate::{BuildError, FoldedConv, Isa, MapShape};

/// What padding the outputs to whole vectors can add, at most.
const PANEL_CHANNELS_MAX: usize = 48;

/// The last layers, their weights packed for one instruction set.
#[derive(Debug)]
pub struct Head {
    token: Token,
    input: MapShape,
    features: MapShape,
    classes: usize,
    conv_head: PackedMatrix,
    fc: PackedMatrix,
}

impl Head {
    /// Packs `conv_head` and `fc` for maps of `input`.
    ///
    /// # Errors
    /// [`BuildError::IsaUnavailable`] if the machine lacks the instruction set; [`BuildError::Unsupported`] if a layer
    /// has no outputs; [`BuildError::TooLarge`] if memory cannot hold the features; [`BuildError::Length`] if weights
    /// and shapes disagree.
    pub fn new(
        isa: Isa,
        input: MapShape,
        conv_head: FoldedConv<'_>,
        fc: FoldedConv<'_>,
    ) -> Result<Self, BuildError> {
        let token = isa.token()?;
        let (channels, classes) = (conv_head.bias.len(), fc.bias.len());
        let features = MapShape::new(input.height(), input.width(), channels)?;
        if classes == 0 {
            return Err(BuildError::Unsupported("a head without classes"));
        }
        // The features are stored in whole panels of outputs.
        checked_len([features.pixels(), channels + PANEL_CHANNELS_MAX])?;
        let weight_len = checked_len([channels, input.channels()])?;
        conv_head.check("conv_head", weight_len, channels)?;
        fc.check("fc", checked_len([classes, channels])?, classes)?;
        Ok(Self {
            token,
            input,
            features,
            classes,
            conv_head: PackedMatrix::new(
                token,
                conv_head.bias,
                input.channels(),
                PanelWidths::Widest,
                |o, k| conv_head.weight[o * input.channels() + k],
            )?,
            fc: PackedMatrix::new(token, fc.bias, channels, PanelWidths::Widest, |o, k| {
                fc.weight[o * channels + k]
            })?,
        })
    }

    /// What the layers read.
    #[must_use]
    pub fn input(&self) -> MapShape {
        self.input
    }

    /// Outputs of `fc`.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The shape of the last feature map, after `conv_head` and ReLU6.
    #[must_use]
    pub fn features_shape(&self) -> MapShape {
        self.features
    }

    /// Runs the layers on this thread; the logits are in `buffers` afterwards.
    ///
    /// # Panics
    /// If `input` is shorter than its shape says, or `buffers` was made for another head.
    pub fn run(&self, input: &[f32], buffers: &mut HeadBuffers) {
        self.run_on(&mut ThreadTeam::solo(), input, buffers);
    }

    /// As [`run`](Self::run), on a team.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on(&self, team: &mut ThreadTeam, input: &[f32], buffers: &mut HeadBuffers) {
        let HeadBuffers {
            packed,
            features,
            pooled,
            logits,
        } = buffers;
        let (conv, fc, pixels) = (&self.conv_head, &self.fc, self.input.pixels());
        let input = &input[..self.input.buffer_len()];
        let map = conv.pack_rows(input, self.input.channel_stride(), packed);
        let shares = || team.shares(conv.panels().len());
        let features = split(features, shares().map(|share| conv.width(share) * pixels));
        let parts = shares()
            .zip(features)
            .zip(split(pooled, shares().map(|share| conv.width(share))));
        team.for_each(parts, |((share, features), pooled)| {
            self.run_panels(share, map, features, pooled)
        });
        let vector = fc.pack_rows(pooled, pooled.len(), packed);
        let shares = || team.shares(fc.panels().len());
        let parts = shares().zip(split(logits, shares().map(|share| fc.width(share))));
        team.for_each(parts, |(share, logits)| {
            fc.multiply_vector(share, vector, logits)
        });
    }

    /// Some panels of `conv_head`, and their averages.
    fn run_panels(
        &self,
        share: Range<usize>,
        map: &[f32],
        features: &mut [f32],
        pooled: &mut [f32],
    ) {
        let pixels = self.input.pixels();
        let panels = &self.conv_head.panels()[share];
        let features = split(features, panels.iter().map(|panel| panel.width * pixels));
        let pooled = split(pooled, panels.iter().map(|panel| panel.width));
        for ((&panel, features), pooled) in panels.iter().zip(features).zip(pooled) {
            self.conv_head.multiply(
                panel,
                Rows {
                    count: pixels,
                    input: map,
                    input_stride: self.input.channel_stride() / self.token.pack_factor(),
                    segments: Segments::contiguous(self.conv_head.packed_depth()),
                    output: features,
                    layout: OutputLayout::dense(panel.width),
                    residual: None,
                    clamp: Some(RELU6),
                },
            );
            self.token.run(AveragePool {
                input: features,
                output: pooled,
            });
        }
    }

    /// Logits `[classes]` of the last run.
    #[must_use]
    pub fn logits<'a>(&self, buffers: &'a HeadBuffers) -> &'a [f32] {
        &buffers.logits[..self.classes]
    }

    /// The averages of the last feature map of the last run, `[channels]`: what `fc` reads.
    #[must_use]
    pub fn pooled<'a>(&self, buffers: &'a HeadBuffers) -> &'a [f32] {
        &buffers.pooled[..self.features.channels()]
    }

    /// Copies the last feature map of the last run to `output`, `[height, width, channels]` without padding: what a
    /// class activation map weighs with the rows of `fc`.
    ///
    /// # Panics
    /// If `output` has another length.
    pub fn copy_features(&self, buffers: &HeadBuffers, output: &mut [f32]) {
        let (pixels, channels) = (self.features.pixels(), self.features.channels());
        assert_eq!(
            output.len(),
            pixels * channels,
            "a map {:?}",
            self.features_shape()
        );
        for panel in self.conv_head.panels() {
            let features = &buffers.features[panel.first * pixels..][..panel.width * pixels];
            let real = panel.width.min(channels - panel.first);
            for (to, from) in output
                .chunks_exact_mut(channels)
                .zip(features.chunks_exact(panel.width))
            {
                to[panel.first..][..real].copy_from_slice(&from[..real]);
            }
        }
    }
}

/// What a head computes on the way to its logits, kept after the run.
#[derive(Debug)]
pub struct HeadBuffers {
    /// What `conv_head` reads, and then `fc`, where those read packed pairs.
    packed: Buffer,
    /// Panel by panel `[pixels, panel width]`.
    features: Buffer,
    /// `[channels]`.
    pooled: Buffer,
    /// `[classes]`.
    logits: Buffer,
}

impl HeadBuffers {
    /// Room for `head`.
    #[must_use]
    pub fn new(head: &Head) -> Self {
        let read = head.input.buffer_len().max(head.conv_head.outputs());
        Self {
            packed: Buffer::zeroed(head.token.packed_len(read)),
            features: Buffer::zeroed(head.conv_head.outputs() * head.input.pixels()),
            pooled: Buffer::zeroed(head.conv_head.outputs()),
            logits: Buffer::zeroed(head.fc.outputs()),
        }
    }
}
