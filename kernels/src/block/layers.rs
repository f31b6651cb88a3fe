//! The layers of a block, packed, and what each of them does to some rows.

use std::ops::Range;

use super::config::BlockConfig;
use super::depthwise::{PackedDepthwise, group_width};
use super::plan::Plan;
use super::squeeze_excite::SqueezeExcite;
use super::variant::{Activations, BlockVariant};
use crate::isa::Token;
use crate::micro::{Depthwise, OutputLayout, Scale, Segments};
use crate::packed::{PackedMatrix, PanelWidths, Rows};
use crate::scratch::ScratchLen;
use crate::shape::Axis;
use crate::{BlockWeights, BuildError};

/// `expand_conv`, `depthwise_conv` and `project_conv`, their weights packed for one instruction set.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) config: BlockConfig,
    pub(super) token: Token,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    pub(super) expand_conv: Option<PackedMatrix>,
    pub(super) depthwise_conv: PackedDepthwise,
    pub(super) project_conv: PackedMatrix,
    pub(super) activations: Activations,
    pub(super) squeeze_excite: Option<SqueezeExcite>,
    pub(super) plan: Plan,
}

impl Layers {
    /// Packs the weights of a block.
    ///
    /// # Errors
    /// [`BuildError::Length`] if weights and shape disagree.
    pub(super) fn new(
        token: Token,
        config: BlockConfig,
        weights: &BlockWeights<'_>,
        variant: &BlockVariant<'_>,
    ) -> Result<Self, BuildError> {
        let (channels, output) = (config.depthwise_channels(), config.output().channels());
        let taps = config.kernel_size() * config.kernel_size();
        weights
            .depthwise_conv
            .check("depthwise_conv", channels * taps, channels)?;
        weights
            .project_conv
            .check("project_conv", output * channels, output)?;
        let expand_conv = pack_expand_conv(token, &config, weights)?;
        let panel = expand_conv
            .as_ref()
            .map_or(token.lanes(), |conv| conv.panels()[0].width);
        let group = group_width(channels.next_multiple_of(token.lanes()), panel);
        let depthwise_conv =
            PackedDepthwise::new(weights.depthwise_conv, taps, group, token.lanes());
        let groups = depthwise_conv.groups();
        let project = weights.project_conv;
        let project_conv = PackedMatrix::new(
            token,
            project.bias,
            groups * group,
            PanelWidths::WidestAndHalf,
            |o, k| {
                if k < channels {
                    project.weight[o * channels + k]
                } else {
                    0.0
                }
            },
        )?;
        let squeeze_excite = variant
            .squeeze_excite
            .map(|weights| SqueezeExcite::new(token, channels, groups * group, &weights))
            .transpose()?;
        let plan = Plan::new(&config, groups, group, squeeze_excite.is_some(), token);
        Ok(Self {
            config,
            token,
            rows: config.rows(),
            columns: config.columns(),
            expand_conv,
            depthwise_conv,
            project_conv,
            activations: variant.activations,
            squeeze_excite,
            plan,
        })
    }

    /// What the calling thread needs to run the block.
    pub(super) fn scratch_len(&self) -> ScratchLen {
        let squeeze_excite = self.squeeze_excite.as_ref();
        ScratchLen {
            factors: self.means_len() + squeeze_excite.map_or(0, SqueezeExcite::scratch_len),
            ..self.plan.scratch_len()
        }
    }

    /// Elements of the means that are taken on the way.
    pub(super) fn means_len(&self) -> usize {
        if self.squeeze_excite.is_some() {
            self.plan.means_len
        } else {
            0
        }
    }

    /// Elements or packed pairs of one pixel of a group, as `project_conv` reads them.
    pub(super) fn packed_group(&self) -> usize {
        self.depthwise_conv.group_channels() / self.token.pack_factor()
    }

    /// The depthwise convolution of one group over one band of output rows.
    pub(super) fn convolve(
        &self,
        group: usize,
        band: Range<usize>,
        ring: &[f32],
        output: &mut [f32],
    ) {
        let (weights, bias) = self.depthwise_conv.group(group);
        let output = &mut output[..band.len() * self.columns.output * self.packed_group()];
        let activation = self.activations.depthwise;
        self.token.run(Depthwise {
            ring,
            ring_rows: self.plan.ring.rows,
            ring_columns: self.columns.padded,
            height: self.rows.input,
            pad_top: self.rows.before,
            weights,
            bias,
            kernel_size: self.config.kernel_size(),
            stride: self.config.stride(),
            rows: band,
            columns: self.columns.output,
            output,
            clamp: activation.limits(),
        });
        activation.finish(self.token, output);
    }

    /// Scales the depthwise result of some pixels, `[groups, pixels, group]`, by the factors of its channels.
    pub(super) fn scale(&self, groups: Range<usize>, factors: &[f32], depthwise: &mut [f32]) {
        let group = self.depthwise_conv.group_channels();
        let len = depthwise.len() / groups.len().max(1);
        let factors = factors[groups.start * group..groups.end * group].chunks_exact(group);
        for (values, factors) in depthwise.chunks_exact_mut(len.max(1)).zip(factors) {
            self.token.run(Scale { values, factors });
        }
    }

    /// The projection of `pixels`, plus the residual where the block has one: `depthwise` holds the pixels `held`, and
    /// `output` begins at the first of `pixels`.
    pub(super) fn project(
        &self,
        pixels: Range<usize>,
        held: Range<usize>,
        residual: Option<&[f32]>,
        depthwise: &[f32],
        output: &mut [f32],
    ) {
        if pixels.is_empty() {
            return;
        }
        let group = self.packed_group();
        let stride = self.config.output().channel_stride();
        let output = &mut output[..pixels.len() * stride];
        let activation = self.activations.project;
        let residual = residual.map(|map| &map[pixels.start * stride..pixels.end * stride]);
        for &panel in self.project_conv.panels() {
            self.project_conv.multiply(
                panel,
                Rows {
                    count: pixels.len(),
                    input: &depthwise[(pixels.start - held.start) * group..],
                    input_stride: group,
                    segments: Segments {
                        count: self.depthwise_conv.groups(),
                        len: group,
                        stride: held.len() * group,
                    },
                    output: &mut output[panel.first..],
                    layout: OutputLayout::dense(stride),
                    residual: residual.map(|residual| &residual[panel.first..]),
                    clamp: activation.clamp,
                },
            );
        }
        activation.finish(self.token, output);
    }
}

/// Groups of channels in a block that does not expand.
pub(super) fn groups_without_expansion(token: Token, config: &BlockConfig) -> usize {
    let (lanes, channels) = (token.lanes(), config.depthwise_channels());
    let padded = channels.next_multiple_of(lanes);
    padded / group_width(padded, lanes)
}

fn pack_expand_conv(
    token: Token,
    config: &BlockConfig,
    weights: &BlockWeights<'_>,
) -> Result<Option<PackedMatrix>, BuildError> {
    match (config.expanded_channels(), weights.expand_conv) {
        (None, None) => Ok(None),
        (Some(channels), Some(conv)) => {
            let input = config.input().channels();
            conv.check("expand_conv", channels * input, channels)?;
            let packed = PackedMatrix::new(token, conv.bias, input, PanelWidths::Equal, |o, k| {
                conv.weight[o * input + k]
            });
            packed.map(Some)
        }
        (expected, found) => {
            let [expected, found] = [expected.is_some(), found.is_some()].map(usize::from);
            Err(BuildError::Length {
                layer: "expand_conv",
                expected,
                found,
            })
        }
    }
}
