//! Multiply-adds of operations.

use super::{Graph, Node, Op, shapes};

/// How many multiply-adds an operation takes; `None` if they cannot be counted. Elementwise operations count one for each
/// element.
pub(crate) fn macs(op: &Op, inputs: &[&[usize]], output: &[usize]) -> Option<u64> {
    let outputs = shapes::elements(output)?;
    let each = match op {
        Op::Conv(_) => inputs[1][1..].iter().product::<usize>(),
        Op::Linear { .. } | Op::MatMul => *inputs[0].last()?,
        Op::Pool(pool) => pool.window.kernel.iter().product(),
        Op::Reduce { .. } => return u64::try_from(shapes::elements(inputs[0])?).ok(),
        Op::Reshape(_)
        | Op::Transpose(_)
        | Op::Concat { .. }
        | Op::Slice(_)
        | Op::Pad { .. }
        | Op::Gather { .. }
        | Op::Expand(_) => 0,
        Op::Binary(_) | Op::Unary(_) | Op::Softmax { .. } | Op::LayerNorm { .. } => 1,
    };
    u64::try_from(outputs)
        .ok()?
        .checked_mul(u64::try_from(each).ok()?)
}

impl Graph {
    /// Multiply-adds of the whole graph.
    #[must_use]
    pub fn total_macs(&self) -> u64 {
        self.nodes.iter().map(|node| self.macs(node)).sum()
    }

    /// Elements of all constants.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let data = self.values.iter().filter_map(|value| value.data.as_ref());
        data.map(|data| data.len()).sum()
    }

    pub(crate) fn macs(&self, node: &Node) -> u64 {
        let inputs: Vec<_> = node
            .inputs
            .iter()
            .map(|input| &*self.values[input.0].shape)
            .collect();
        let output = &self.values[node.output.0].shape;
        macs(&node.op, &inputs, output).expect("the builder has counted them")
    }
}
