//! The end of the network: `conv_head` with ReLU6, global average pooling, and `fc`.

use std::ops::Range;

use crate::buffer::Buffer;
use crate::kernel::Token;
use crate::micro::{AveragePool, OutputLayout, Segments};
use crate::packed::{Cut, PackedMatrix, Rows};
use crate::team::{Team, cut};
use crate::{BuildError, FoldedConv, Kernel, MapShape};

/// The last layers, their weights packed for one kernel.
#[derive(Debug)]
pub struct Head {
    token: Token,
    input: MapShape,
    channels: usize,
    classes: usize,
    conv_head: PackedMatrix,
    fc: PackedMatrix,
}

impl Head {
    /// Packs `conv_head` and `fc` for maps of `input`.
    ///
    /// # Errors
    /// If the machine lacks the kernel's instructions, or a layer is empty, or weights and shapes disagree.
    pub fn new(
        kernel: Kernel,
        input: MapShape,
        conv_head: FoldedConv<'_>,
        fc: FoldedConv<'_>,
    ) -> Result<Self, BuildError> {
        let token = kernel.token()?;
        let (channels, classes) = (conv_head.bias.len(), fc.bias.len());
        if input.buffer_len() == 0 || channels == 0 || classes == 0 {
            return Err(BuildError::Unsupported(
                "a head without pixels, channels or classes",
            ));
        }
        conv_head.check("conv_head", channels * input.channels, channels)?;
        fc.check("fc", classes * channels, classes)?;
        Ok(Self {
            token,
            input,
            channels,
            classes,
            conv_head: PackedMatrix::new(
                token,
                conv_head.bias,
                input.channels,
                Cut::Wide,
                |o, k| conv_head.weight[o * input.channels + k],
            ),
            fc: PackedMatrix::new(token, fc.bias, channels, Cut::Wide, |o, k| {
                fc.weight[o * channels + k]
            }),
        })
    }

    /// What the layers read.
    #[must_use]
    pub fn input(&self) -> MapShape {
        self.input
    }

    /// Classes that `fc` tells apart.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The shape of the last feature map, after `conv_head` and ReLU6.
    #[must_use]
    pub fn features_shape(&self) -> MapShape {
        MapShape {
            channels: self.channels,
            ..self.input
        }
    }

    /// Runs the layers on this thread; the logits are in `buffers` afterwards.
    ///
    /// # Panics
    /// If `input` is shorter than its shape says, or `buffers` was made for another head.
    pub fn run(&self, input: &[f32], buffers: &mut HeadBuffers) {
        self.run_on(&mut Team::solo(), input, buffers);
    }

    /// As [`run`](Self::run), on a team.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on(&self, team: &mut Team, input: &[f32], buffers: &mut HeadBuffers) {
        let HeadBuffers {
            converted,
            features,
            pooled,
            logits,
        } = buffers;
        let (conv, fc, pixels) = (&self.conv_head, &self.fc, self.input.pixels());
        let input = &input[..self.input.buffer_len()];
        let words = conv.words_of(input, self.input.channel_stride(), converted);
        let shares = || team.shares(conv.panels().len());
        let features = cut(features, shares().map(|share| conv.width(share) * pixels));
        let parts = shares()
            .zip(features)
            .zip(cut(pooled, shares().map(|share| conv.width(share))));
        team.for_each(parts, |((share, features), pooled)| {
            self.run_panels(share, words, features, pooled)
        });
        let words = fc.words_of(pooled, pooled.len(), converted);
        let shares = || team.shares(fc.panels().len());
        let parts = shares().zip(cut(logits, shares().map(|share| fc.width(share))));
        team.for_each(parts, |(share, logits)| {
            fc.multiply_vector(share, words, logits)
        });
    }

    /// Some panels of `conv_head`, and their averages.
    fn run_panels(
        &self,
        share: Range<usize>,
        words: &[f32],
        features: &mut [f32],
        pooled: &mut [f32],
    ) {
        let pixels = self.input.pixels();
        let panels = &self.conv_head.panels()[share];
        let features = cut(features, panels.iter().map(|panel| panel.width * pixels));
        let pooled = cut(pooled, panels.iter().map(|panel| panel.width));
        for ((&panel, features), pooled) in panels.iter().zip(features).zip(pooled) {
            self.conv_head.multiply(
                panel,
                Rows {
                    count: pixels,
                    input: words,
                    input_stride: self.input.channel_stride() / self.token.numbers_in_word(),
                    segments: Segments::contiguous(self.conv_head.words()),
                    output: features,
                    layout: OutputLayout::dense(panel.width),
                    residual: None,
                    relu6: true,
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

    /// Copies the last feature map of the last run to `output`, `[height, width, channels]` without padding: what a
    /// class activation map weighs with the rows of `fc`.
    ///
    /// # Panics
    /// If `output` has another length.
    pub fn copy_features(&self, buffers: &HeadBuffers, output: &mut [f32]) {
        let pixels = self.input.pixels();
        assert_eq!(
            output.len(),
            pixels * self.channels,
            "a map {:?}",
            self.features_shape()
        );
        for panel in self.conv_head.panels() {
            let features = &buffers.features[panel.first * pixels..][..panel.width * pixels];
            let real = panel.width.min(self.channels - panel.first);
            for (to, from) in output
                .chunks_exact_mut(self.channels)
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
    /// What `conv_head` reads, and then `fc`, where those are not the numbers as they are.
    converted: Buffer,
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
            converted: Buffer::zeroed(head.token.converted_len(read)),
            features: Buffer::zeroed(head.conv_head.outputs() * head.input.pixels()),
            pooled: Buffer::zeroed(head.conv_head.outputs()),
            logits: Buffer::zeroed(head.fc.outputs()),
        }
    }
}
