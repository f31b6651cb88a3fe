//! Softmax and layer normalisation along the last axes.

use super::kernel::Kernel;
use super::planner::Planner;
use super::relayout::Layout;
use crate::graph::{Node, Op, layer_norm_row, softmax_row};
use crate::isa::Token;
use crate::micro::{Operand, Operation, Tiles};
use crate::scratch::Scratch;
use crate::team::split;
use crate::{BuildError, ThreadTeam};

/// An operation on each row.
#[derive(Debug)]
struct EachRow {
    token: Token,
    /// `None` for softmax.
    epsilon: Option<f32>,
    rows: usize,
    len: usize,
}

impl Kernel for EachRow {
    fn name(&self) -> &'static str {
        if self.epsilon.is_some() {
            "layer norm"
        } else {
            "softmax"
        }
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let shares = || team.shares(self.rows);
        let pieces = split(output, shares().map(|share| share.len() * self.len));
        team.for_each(shares().zip(pieces), |(share, output)| {
            output.copy_from_slice(&inputs[0][share.start * self.len..][..output.len()]);
            self.token.run(RunRows {
                it: self,
                scale: inputs.get(1).copied(),
                bias: inputs.get(2).copied(),
                rows: output,
            });
        });
    }
}

struct RunRows<'a> {
    it: &'a EachRow,
    scale: Option<&'a [f32]>,
    bias: Option<&'a [f32]>,
    rows: &'a mut [f32],
}

impl Operation for RunRows<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, _: S) {
        for row in self.rows.chunks_exact_mut(self.it.len) {
            match self.it.epsilon {
                Some(epsilon) => layer_norm_row(row, epsilon, self.scale, self.bias),
                None => softmax_row(row),
            }
        }
    }
}

impl Planner<'_> {
    pub(super) fn lower_rows(&mut self, node: &Node) -> Result<bool, BuildError> {
        let shape = self.shape(node.output);
        let (epsilon, len) = match node.op {
            Op::Softmax { axis } if axis + 1 == shape.len() => (None, shape[axis]),
            Op::LayerNorm { axis, epsilon } => (Some(epsilon), shape[axis..].iter().product()),
            _ => return Ok(false),
        };
        let kernel = EachRow {
            token: self.token,
            epsilon,
            rows: self.elements(node.output)? / len,
            len,
        };
        let sources = node
            .inputs
            .iter()
            .map(|input| self.source(*input, Layout::Rows));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        self.push(node, Box::new(kernel), sources, Layout::Rows)?;
        Ok(true)
    }
}
