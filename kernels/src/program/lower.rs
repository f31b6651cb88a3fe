//! From the nodes of a graph to steps.

use super::explained::Ending;
use super::planner::{PlannedStep, Planner};
use super::reference::Reference;
use super::relayout::Layout;
use super::role::Role;
use crate::BuildError;
use crate::graph::{Graph, Node, Op};
use crate::isa::Token;

/// A whole graph as steps. Values have numbers, and no buffers yet.
pub(super) struct Lowered {
    pub(super) steps: Vec<PlannedStep>,
    /// Elements of each value.
    pub(super) lengths: Vec<usize>,
    pub(super) input: usize,
    pub(super) input_len: usize,
    pub(super) output: usize,
    pub(super) output_len: usize,
    pub(super) ending: Option<Ending<usize>>,
}

impl Lowered {
    pub(super) fn new(graph: &Graph, token: Token, fuse_blocks: bool) -> Result<Self, BuildError> {
        let mut planner = Planner::new(graph, token);
        let input = planner.add_input()?;
        planner.lower_nodes(fuse_blocks)?;
        let output = planner.rows(graph.output)?;
        let ending = planner.ending()?;
        Ok(Self {
            input,
            input_len: planner.elements(graph.input)?,
            output,
            output_len: planner.elements(graph.output)?,
            ending,
            steps: planner.steps,
            lengths: planner.lengths,
        })
    }
}

impl Planner<'_> {
    fn lower_nodes(&mut self, fuse_blocks: bool) -> Result<(), BuildError> {
        let nodes = &self.graph.nodes;
        let roles = if fuse_blocks {
            self.roles()?
        } else {
            vec![Role::Layer; nodes.len()]
        };
        for (node, role) in nodes.iter().zip(&roles) {
            match role {
                Role::Layer => self.lower(node)?,
                Role::Inside => {}
                Role::Last(block) => self.lower_block(block)?,
            }
        }
        Ok(())
    }

    /// Where the last map and its means are, which runs keep.
    fn ending(&mut self) -> Result<Option<Ending<usize>>, BuildError> {
        let Some(ending) = self.graph.ending() else {
            return Ok(None);
        };
        let features = self.in_layout(ending.features, Layout::Map)?;
        let pooled = self.rows(ending.pooled)?;
        let features_id = ending.features;
        let place = |value| {
            if value == features_id {
                features
            } else {
                pooled
            }
        };
        Ok(Some(ending.at(place)))
    }

    fn lower(&mut self, node: &Node) -> Result<(), BuildError> {
        let is_lowered = match &node.op {
            Op::Conv(conv) => self.lower_conv(node, conv)?,
            Op::Pool(pool) => self.lower_pool(node, pool)?,
            Op::Reduce { reduction, axes } => self.lower_reduce(node, *reduction, axes)?,
            Op::Linear { .. } => self.lower_linear(node)?,
            Op::MatMul => self.lower_matmul(node)?,
            Op::Unary(unary) => self.lower_unary(node, *unary)?,
            Op::Binary(binary) => self.lower_binary(node, *binary)?,
            Op::Softmax { .. } | Op::LayerNorm { .. } => self.lower_rows(node)?,
            Op::Reshape(_) => {
                let rows = self.rows(node.inputs[0])?;
                self.place(node.output, Layout::Rows, rows);
                true
            }
            Op::Transpose(permutation) => self.lower_transpose(node, permutation)?,
            Op::Concat { axis: 1 } => self.lower_concat(node)?,
            Op::Slice(axes) => self.lower_slice(node, axes)?,
            Op::Gather { axis: 1, indices } => self.lower_gather(node, indices)?,
            _ => false,
        };
        if is_lowered {
            return Ok(());
        }
        let kernel = Reference {
            op: node.op.clone(),
            input_shapes: node
                .inputs
                .iter()
                .map(|input| self.shape(*input).to_vec())
                .collect(),
            output_shape: self.shape(node.output).to_vec(),
        };
        let inputs = node
            .inputs
            .iter()
            .map(|input| self.source(*input, Layout::Rows));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        self.push(node, Box::new(kernel), inputs, Layout::Rows)
    }
}
