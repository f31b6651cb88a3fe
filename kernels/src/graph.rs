//! A network as a graph of operations with static shapes, whatever its family.
//!
//! A [`GraphBuilder`] checks every shape once, while the graph is made: shapes may come from hostile files. Operations
//! on constants alone are computed at once. [`Graph::fused`] folds batch normalisation, biases, activations and residuals
//! into the operations before them. [`Graph::run`] computes the graph with plain loops, the reference for everything
//! else.

mod blocks;
mod builder;
mod cost;
mod error;
mod fuse;
mod op;
mod reference;
mod shapes;

pub(crate) use blocks::FoundBlock;
pub use builder::{Constant, GraphBuilder, ValueId};
pub use error::GraphError;
pub use op::{Binary, Conv, Op, Pool, Pooling, Reduction, SliceAxis, Unary, Window};
pub(crate) use reference::rows::{layer_norm_row, softmax_row};
pub(crate) use reference::{
    Operand, apply, average, combine, evaluate, evaluate_into, matrix_start, padded_count,
};

use std::sync::Arc;

/// Operations in the order of their execution. Immutable.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) values: Vec<Value>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) input: ValueId,
    pub(crate) output: ValueId,
}

/// What an operation reads or writes.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) shape: Vec<usize>,
    /// Row-major, if the value does not depend on the input.
    pub(crate) data: Option<Arc<Vec<f32>>>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// As the file calls it.
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) output: ValueId,
}

/// One operation of a [`Graph`], for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// As the file calls it.
    pub name: String,
    /// The operation, with what is fused into it.
    pub operation: String,
    /// What it writes.
    pub shape: Vec<usize>,
    /// Elements of its constants.
    pub parameters: usize,
    /// Multiply-adds.
    pub macs: u64,
}

impl Graph {
    /// Axes of the input: `[1, 3, height, width]` for images.
    #[must_use]
    pub fn input_shape(&self) -> &[usize] {
        &self.values[self.input.0].shape
    }

    /// Axes of the output: `[1, classes]` for a classifier.
    #[must_use]
    pub fn output_shape(&self) -> &[usize] {
        &self.values[self.output.0].shape
    }

    /// The operations, in the order of their execution.
    pub fn layers(&self) -> impl Iterator<Item = Layer> + '_ {
        self.nodes.iter().map(|node| Layer {
            name: node.name.clone(),
            operation: node.op.describe(),
            shape: self.values[node.output.0].shape.clone(),
            parameters: node
                .inputs
                .iter()
                .filter_map(|input| self.values[input.0].data.as_ref())
                .map(|data| data.len())
                .sum(),
            macs: self.macs(node),
        })
    }

    /// Whether the last operation is a softmax over the classes, which makes probabilities of logits.
    #[must_use]
    pub fn ends_with_softmax(&self) -> bool {
        self.last().is_some_and(|node| {
            let axes = self.values[node.output.0].shape.len();
            node.op == Op::Softmax { axis: axes - 1 }
        })
    }

    /// The same graph without a last softmax.
    #[must_use]
    pub fn without_softmax(mut self) -> Self {
        if self.ends_with_softmax()
            && let Some(node) = self.nodes.pop()
        {
            self.output = node.inputs[0];
        }
        self
    }

    fn last(&self) -> Option<&Node> {
        self.nodes.iter().find(|node| node.output == self.output)
    }

    /// Computes the graph with plain loops: slow, and simple enough to be believed. `input` is row-major.
    ///
    /// # Panics
    /// If `input` is not as long as its shape says.
    #[must_use]
    pub fn run(&self, input: &[f32]) -> Vec<f32> {
        assert_eq!(input.len(), self.input_shape().iter().product::<usize>());
        let mut last_uses = vec![0; self.values.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            for input in &node.inputs {
                last_uses[input.0] = i;
            }
        }
        last_uses[self.output.0] = usize::MAX;
        let mut results: Vec<Option<Vec<f32>>> = vec![None; self.values.len()];
        results[self.input.0] = Some(input.to_vec());
        for (i, node) in self.nodes.iter().enumerate() {
            let operands: Vec<_> = node
                .inputs
                .iter()
                .map(|input| {
                    let value = &self.values[input.0];
                    let data = match &value.data {
                        Some(data) => data.as_slice(),
                        None => results[input.0].as_deref().expect("inputs come first"),
                    };
                    Operand {
                        shape: &value.shape,
                        data,
                    }
                })
                .collect();
            let output = evaluate(&node.op, &operands, &self.values[node.output.0].shape);
            for input in &node.inputs {
                if last_uses[input.0] == i {
                    results[input.0] = None;
                }
            }
            results[node.output.0] = Some(output);
        }
        match (
            &self.values[self.output.0].data,
            results[self.output.0].take(),
        ) {
            (_, Some(output)) => output,
            (Some(data), None) => data.to_vec(),
            (None, None) => unreachable!("the output is computed"),
        }
    }
}
