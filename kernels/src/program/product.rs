//! Matrix products with packed weights, with what is fused into them.

use crate::BuildError;
use crate::activation::Activation;
use crate::graph::Unary;
use crate::isa::Token;
use crate::micro::{OutputLayout, Segments};
use crate::packed::{PackedMatrix, PanelWidths, Rows};
use crate::team::{ThreadTeam, split};

/// Rows times a packed matrix.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) token: Token,
    pub(super) packed: PackedMatrix,
    pub(super) depth: usize,
    pub(super) activation: Activation,
}

/// What a product reads and writes besides its weights: rows at equal distances.
pub(super) struct Operands<'a> {
    pub(super) rows: usize,
    pub(super) input: &'a [f32],
    pub(super) input_stride: usize,
    pub(super) output: &'a mut [f32],
    /// At least as many elements as the outputs, padded to whole vectors.
    pub(super) output_stride: usize,
    /// Laid out as the output.
    pub(super) residual: Option<&'a [f32]>,
}

/// Elements of the input rows that are multiplied with all panels before the next rows: they stay in L2.
const BLOCK: usize = 1 << 16;

impl Product {
    /// Packs `weight(output, k)` for `bias.len()` outputs.
    pub(super) fn new(
        token: Token,
        bias: &[f32],
        depth: usize,
        activation: Option<Unary>,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            token,
            packed: PackedMatrix::new(token, bias, depth, PanelWidths::Widest, weight)?,
            depth,
            activation: Activation::new(activation),
        })
    }

    /// Multiplies all rows, shared among the team.
    pub(super) fn run(&self, team: &mut ThreadTeam, it: Operands<'_>) {
        let Operands {
            rows,
            input,
            input_stride,
            output,
            output_stride,
            residual,
        } = it;
        let outputs = split(
            output,
            team.shares(rows).map(|share| share.len() * output_stride),
        );
        let parts = team.shares(rows).zip(outputs);
        team.for_each(parts, |(share, output)| {
            self.run_rows(Operands {
                rows: share.len(),
                input: &input[share.start * input_stride..],
                input_stride,
                output,
                output_stride,
                residual: residual.map(|residual| &residual[share.start * output_stride..]),
            });
        });
    }

    fn run_rows(&self, it: Operands<'_>) {
        let widest = match self.activation.after {
            // The pass after the product finds its output in the cache, too.
            Some(_) => self.depth.max(it.output_stride),
            None => self.depth,
        };
        let block = (BLOCK / widest).next_multiple_of(28);
        let segments = Segments::contiguous(self.depth);
        for (i, output) in it.output.chunks_mut(block * it.output_stride).enumerate() {
            let first = i * block;
            for &panel in self.packed.panels() {
                self.packed.multiply(
                    panel,
                    Rows {
                        count: block.min(it.rows - first),
                        input: &it.input[first * it.input_stride..],
                        input_stride: it.input_stride,
                        segments,
                        output: &mut output[panel.first..],
                        layout: OutputLayout::dense(it.output_stride),
                        residual: it
                            .residual
                            .map(|residual| &residual[first * it.output_stride + panel.first..]),
                        clamp: self.activation.clamp,
                    },
                );
            }
            self.activation.finish(self.token, output);
        }
    }

    /// Multiplies one row; `output` holds the outputs, padded to whole vectors.
    pub(super) fn run_vector(
        &self,
        team: &mut ThreadTeam,
        input: &[f32],
        output: &mut [f32],
        residual: Option<&[f32]>,
    ) {
        let shares = || team.shares(self.packed.panels().len());
        let output = &mut output[..self.packed.outputs()];
        let parts = shares().zip(split(
            output,
            shares().map(|share| self.packed.width(share)),
        ));
        team.for_each(parts, |(share, output)| {
            self.packed
                .multiply_vector(share, &input[..self.depth], output);
        });
        if let Some(residual) = residual {
            for (x, residual) in output.iter_mut().zip(residual) {
                *x += residual;
            }
        }
        self.activation.apply(self.token, output);
    }
}
