//! Linear layers, and products of two values that both depend on the input.

use super::kernel::Kernel;
use super::planner::Planner;
use super::product::{Operands, Product};
use super::relayout::Layout;
use crate::graph::{Node, Op, matrix_start};
use crate::isa::Token;
use crate::micro::OutputLayout;
use crate::micro::Segments;
use crate::packed::{PackedMatrix, PanelWidths, Rows};
use crate::scratch::{Scratch, ScratchLen};
use crate::shape::checked_len;
use crate::team::{THREADS_MAX, split};
use crate::{BuildError, ThreadTeam};

/// Rows times a constant matrix.
#[derive(Debug)]
struct Linear {
    product: Product,
    rows: usize,
    outputs: usize,
    residual: bool,
}

impl Linear {
    /// Whether rows of outputs, padded to whole vectors, lie side by side.
    fn is_dense(&self) -> bool {
        self.outputs == self.product.packed.outputs()
    }
}

impl Kernel for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn scratch_len(&self) -> ScratchLen {
        if self.is_dense() || self.rows == 1 {
            ScratchLen::default()
        } else {
            ScratchLen::operands(2 * self.rows * self.product.packed.outputs())
        }
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let residual = self.residual.then(|| inputs[1]);
        if self.rows == 1 {
            return self.product.run_vector(team, inputs[0], output, residual);
        }
        let stride = self.product.packed.outputs();
        let operands = |output, residual| Operands {
            rows: self.rows,
            input: inputs[0],
            input_stride: self.product.depth,
            output,
            output_stride: stride,
            residual,
        };
        let len = self.rows * self.outputs;
        if self.is_dense() {
            return self
                .product
                .run(team, operands(&mut output[..len], residual));
        }
        let (padded, padded_residual) = scratch.operands.split_at_mut(self.rows * stride);
        let padded_residual = residual.map(|residual| {
            let rows = padded_residual
                .chunks_exact_mut(stride)
                .zip(residual.chunks_exact(self.outputs));
            for (to, from) in rows.take(self.rows) {
                to[..self.outputs].copy_from_slice(from);
            }
            &*padded_residual
        });
        self.product.run(team, operands(padded, padded_residual));
        let rows = output[..len]
            .chunks_exact_mut(self.outputs)
            .zip(padded.chunks_exact(stride));
        for (to, from) in rows {
            to.copy_from_slice(&from[..self.outputs]);
        }
    }
}

/// Matrices times matrices, one pair after the other.
#[derive(Debug)]
struct MatMul {
    token: Token,
    shapes: [Vec<usize>; 2],
    /// Axes before the matrices.
    batch: Vec<usize>,
    m: usize,
    k: usize,
    n: usize,
}

impl MatMul {
    fn padded(&self) -> usize {
        self.n.next_multiple_of(self.token.lanes())
    }

    fn one(&self, a: &[f32], b: &[f32], output: &mut [f32], buffer: &mut [f32]) {
        let bias = vec![0.0; self.n];
        let packed = PackedMatrix::new(self.token, &bias, self.k, PanelWidths::Widest, |o, k| {
            b[k * self.n + o]
        });
        let packed = packed.expect("the matrices are in memory");
        let stride = self.padded();
        let is_dense = stride == self.n;
        let rows: &mut [f32] = if is_dense { output } else { buffer };
        for &panel in packed.panels() {
            packed.multiply(
                panel,
                Rows {
                    count: self.m,
                    input: a,
                    input_stride: self.k,
                    segments: Segments::contiguous(self.k),
                    output: &mut rows[panel.first..],
                    layout: OutputLayout::dense(stride),
                    residual: None,
                    clamp: None,
                },
            );
        }
        if !is_dense {
            for (to, from) in output
                .chunks_exact_mut(self.n)
                .zip(buffer.chunks_exact(stride))
            {
                to.copy_from_slice(&from[..self.n]);
            }
        }
    }
}

impl Kernel for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn scratch_len(&self) -> ScratchLen {
        ScratchLen::operands(THREADS_MAX * self.m * self.padded())
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let count: usize = self.batch.iter().product();
        let len = self.m * self.n;
        let shares = || team.shares(count);
        let outputs = split(output, shares().map(|share| share.len() * len));
        let parts = shares()
            .zip(outputs)
            .zip(scratch.operands.chunks_exact_mut(self.m * self.padded()));
        team.for_each(parts, |((share, output), buffer)| {
            for (i, output) in share.zip(output.chunks_exact_mut(len)) {
                let [a, b] = [0, 1]
                    .map(|side| &inputs[side][matrix_start(&self.shapes[side], &self.batch, i)..]);
                self.one(&a[..self.m * self.k], &b[..self.k * self.n], output, buffer);
            }
        });
    }
}

impl Planner<'_> {
    pub(super) fn lower_linear(&mut self, node: &Node) -> Result<bool, BuildError> {
        let Op::Linear {
            transposed,
            bias,
            residual,
            activation,
        } = node.op
        else {
            return Ok(false);
        };
        let Some(weight) = self.constant(node.inputs[1]).cloned() else {
            return Ok(false);
        };
        let outputs = self.shape(node.output).last().copied().unwrap_or(1);
        let depth = weight.len() / outputs;
        let bias = match bias.then(|| self.constant(node.inputs[2])) {
            Some(Some(bias)) => bias.to_vec(),
            Some(None) => return Ok(false),
            None => vec![0.0; outputs],
        };
        let product = Product::new(self.token, &bias, depth, activation, |o, k| {
            weight[if transposed {
                k * outputs + o
            } else {
                o * depth + k
            }]
        })?;
        let rows = self.elements(node.output)? / outputs;
        checked_len([2, rows, product.packed.outputs()])?;
        let kernel = Linear {
            product,
            rows,
            outputs,
            residual,
        };
        let mut sources = vec![self.source(node.inputs[0], Layout::Rows)?];
        if residual {
            sources.push(self.source(node.inputs[node.inputs.len() - 1], Layout::Rows)?);
        }
        self.push(node, Box::new(kernel), sources, Layout::Rows)?;
        Ok(true)
    }

    pub(super) fn lower_matmul(&mut self, node: &Node) -> Result<bool, BuildError> {
        let shapes = [0, 1].map(|i| self.shape(node.inputs[i]).to_vec());
        let output = self.shape(node.output);
        let (batch, &[m, n]) = output.split_at(output.len() - 2) else {
            return Ok(false);
        };
        let kernel = MatMul {
            token: self.token,
            batch: batch.to_vec(),
            m,
            k: shapes[0][shapes[0].len() - 1],
            n,
            shapes,
        };
        checked_len([THREADS_MAX, m, kernel.padded()])?;
        let sources = vec![
            self.source(node.inputs[0], Layout::Rows)?,
            self.source(node.inputs[1], Layout::Rows)?,
        ];
        self.push(node, Box::new(kernel), sources, Layout::Rows)?;
        Ok(true)
    }
}
