//! Folds operations into those before them: batch normalisation and biases into weights, then residuals and activations.

mod fold;
mod patterns;

use std::collections::HashMap;
use std::sync::Arc;

use super::{Binary, Graph, Node, Op, Unary, Value, ValueId};

impl Graph {
    /// The same function in fewer operations.
    #[must_use]
    pub fn fused(mut self) -> Self {
        self.recognise_patterns();
        let nodes = std::mem::take(&mut self.nodes);
        let mut fuser = Fuser {
            uses: uses(&nodes, &self),
            graph: &mut self,
            nodes: Vec::with_capacity(nodes.len()),
            makers: HashMap::new(),
        };
        for node in nodes {
            fuser.add(node);
        }
        self.nodes = fuser.nodes.into_iter().flatten().collect();
        self.remove_unused();
        self
    }
}

/// How often each value is read; the output once more.
pub(super) fn uses(nodes: &[Node], graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.values.len()];
    for input in nodes.iter().flat_map(|node| &node.inputs) {
        uses[input.0] += 1;
    }
    uses[graph.output.0] += 1;
    uses
}

struct Fuser<'a> {
    graph: &'a mut Graph,
    uses: Vec<usize>,
    nodes: Vec<Option<Node>>,
    /// Which node writes a value.
    makers: HashMap<ValueId, usize>,
}

impl Fuser<'_> {
    fn add(&mut self, node: Node) {
        let node = self.as_linear(node);
        let node = match node.op {
            Op::Unary(unary) => self.fuse_activation(node, unary),
            Op::Binary(binary) => self
                .fold_constant(node, binary)
                .or_else(|node| self.fuse_residual(*node, binary)),
            _ => Err(Box::new(node)),
        };
        let node = node.unwrap_or_else(|node| *node);
        self.makers.insert(node.output, self.nodes.len());
        self.nodes.push(Some(node));
    }

    /// A product with a constant matrix is a linear layer.
    fn as_linear(&self, mut node: Node) -> Node {
        if node.op == Op::MatMul {
            let value = &self.graph.values[node.inputs[1].0];
            if value.data.is_some() && value.shape.len() == 2 {
                node.op = Op::Linear {
                    transposed: true,
                    bias: false,
                    residual: false,
                    activation: None,
                };
            }
        }
        node
    }

    /// The node that writes `value`, if nothing else reads it and it is a product to which something can be added.
    fn product(&self, value: ValueId) -> Option<usize> {
        let maker = *self.makers.get(&value)?;
        let node = self.nodes[maker].as_ref()?;
        let open = match &node.op {
            Op::Conv(conv) => conv.activation.is_none(),
            Op::Linear { activation, .. } => activation.is_none(),
            _ => false,
        };
        (open && self.uses[value.0] == 1).then_some(maker)
    }

    /// Takes the product, which will write what `node` writes.
    fn take(&mut self, maker: usize, node: &Node) -> Node {
        let mut product = self.nodes[maker].take().expect("it is there");
        product.output = node.output;
        product
    }

    fn fuse_activation(&mut self, node: Node, unary: Unary) -> Result<Node, Box<Node>> {
        let Some(maker) = self.product(node.inputs[0]) else {
            return Err(Box::new(node));
        };
        let mut product = self.take(maker, &node);
        match &mut product.op {
            Op::Conv(conv) => conv.activation = Some(unary),
            Op::Linear { activation, .. } => *activation = Some(unary),
            _ => unreachable!("products are these"),
        }
        Ok(product)
    }

    /// `product + x`, where `x` has the product's shape.
    fn fuse_residual(&mut self, node: Node, binary: Binary) -> Result<Node, Box<Node>> {
        if binary != Binary::Add {
            return Err(Box::new(node));
        }
        let [a, b] = [node.inputs[0], node.inputs[1]];
        let same = self.graph.values[a.0].shape == self.graph.values[b.0].shape;
        // The product that comes last saves most: its result is not written before the sum.
        let mut candidates = [(self.product(b), a), (self.product(a), b)];
        candidates.sort_by_key(|(maker, _)| std::cmp::Reverse(*maker));
        for (maker, other) in candidates {
            let Some(maker) = maker.filter(|_| same && a != b) else {
                continue;
            };
            let has_residual = match &self.nodes[maker].as_ref().expect("it is there").op {
                Op::Conv(conv) => conv.residual,
                Op::Linear { residual, .. } => *residual,
                _ => true,
            };
            if has_residual || self.graph.values[other.0].data.is_some() {
                continue;
            }
            let mut product = self.take(maker, &node);
            product.inputs.push(other);
            match &mut product.op {
                Op::Conv(conv) => conv.residual = true,
                Op::Linear { residual, .. } => *residual = true,
                _ => unreachable!("products are these"),
            }
            return Ok(product);
        }
        Err(Box::new(node))
    }

    /// A constant that is added to a product or scales it, one element for each output channel or one for all.
    fn fold_constant(&mut self, node: Node, binary: Binary) -> Result<Node, Box<Node>> {
        let [a, b] = [node.inputs[0], node.inputs[1]];
        let (variable, constant) =
            match (&self.graph.values[a.0].data, &self.graph.values[b.0].data) {
                (None, Some(_)) => (a, b),
                (Some(_), None) if matches!(binary, Binary::Add | Binary::Mul) => (b, a),
                _ => return Err(Box::new(node)),
            };
        let same_shape =
            self.graph.values[variable.0].shape == self.graph.values[node.output.0].shape;
        let Some(maker) = self.product(variable).filter(|_| same_shape) else {
            return Err(Box::new(node));
        };
        let product = self.nodes[maker].as_ref().expect("it is there");
        let Some(folded) = fold::fold(self.graph, product, constant, binary) else {
            return Err(Box::new(node));
        };
        let mut product = self.take(maker, &node);
        let has_bias = match &mut product.op {
            Op::Conv(conv) => std::mem::replace(&mut conv.bias, true),
            Op::Linear { bias, .. } => std::mem::replace(bias, true),
            _ => unreachable!("products are these"),
        };
        if let Some((shape, weight)) = folded.weight {
            product.inputs[1] = self.constant(shape, weight);
        }
        let bias = self.constant(vec![folded.bias.len()], folded.bias);
        if has_bias {
            product.inputs[2] = bias;
        } else {
            product.inputs.insert(2, bias);
        }
        Ok(product)
    }

    fn constant(&mut self, shape: Vec<usize>, data: Vec<f32>) -> ValueId {
        self.graph.values.push(Value {
            shape,
            data: Some(Arc::new(data)),
        });
        self.uses.push(1);
        ValueId(self.graph.values.len() - 1)
    }
}
