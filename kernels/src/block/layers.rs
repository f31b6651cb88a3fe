//! The layers of a block, packed, and what each of them does to some rows.

use std::ops::Range;

use super::config::BlockConfig;
use super::depthwise::{PackedDepthwise, group_width};
use super::plan::Plan;
use crate::isa::Token;
use crate::micro::{Depthwise, OutputLayout, Segments};
use crate::packed::{PackedMatrix, PanelWidths, Rows};
use crate::shape::SameAxis;
use crate::{BlockWeights, BuildError};

/// `expand_conv`, `depthwise_conv` and `project_conv`, their weights packed for one instruction set.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) config: BlockConfig,
    pub(super) token: Token,
    pub(super) rows: SameAxis,
    pub(super) columns: SameAxis,
    pub(super) expand_conv: Option<PackedMatrix>,
    pub(super) depthwise_conv: PackedDepthwise,
    pub(super) project_conv: PackedMatrix,
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
        let rows = SameAxis::new(
            config.input().height(),
            config.kernel_size(),
            config.stride(),
        );
        let columns = SameAxis::new(
            config.input().width(),
            config.kernel_size(),
            config.stride(),
        );
        let plan = Plan::new(&config, rows, columns, groups, group, token);
        Ok(Self {
            config,
            token,
            rows,
            columns,
            expand_conv,
            depthwise_conv,
            project_conv,
            plan,
        })
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
        });
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
        let group = self.packed_group();
        let stride = self.config.output().channel_stride();
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
                    clamp: None,
                },
            );
        }
    }
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
