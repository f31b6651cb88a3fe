//! Operations that exporters write out as several: SiLU, hard-swish, GELU and layer normalisation.

use std::collections::HashMap;

use super::super::{Binary, Graph, Node, Op, Reduction, Unary, ValueId};

impl Graph {
    /// Replaces the last node of each pattern; what only the pattern read is dropped.
    pub(super) fn recognise_patterns(&mut self) {
        let mut makers = HashMap::new();
        for i in 0..self.nodes.len() {
            let found = Finder {
                graph: self,
                makers: &makers,
            }
            .find(&self.nodes[i]);
            if let Some((op, inputs)) = found {
                let node = &mut self.nodes[i];
                (node.op, node.inputs) = (op, inputs);
            }
            makers.insert(self.nodes[i].output, i);
        }
        self.remove_unused();
    }
}

struct Finder<'a> {
    graph: &'a Graph,
    makers: &'a HashMap<ValueId, usize>,
}

impl Finder<'_> {
    fn find(&self, node: &Node) -> Option<(Op, Vec<ValueId>)> {
        let unary = |it: (Unary, ValueId)| (Op::Unary(it.0), vec![it.1]);
        match node.op {
            Op::Binary(Binary::Mul) => self
                .gated(node)
                .or_else(|| self.gelu(node))
                .map(unary)
                .or_else(|| self.scaled_norm(node)),
            Op::Binary(Binary::Div) => self
                .hard_swish_divided(node)
                .map(unary)
                .or_else(|| self.norm(node)),
            Op::Binary(Binary::Add) => self.shifted_norm(node),
            _ => None,
        }
    }

    fn maker(&self, value: ValueId) -> Option<&Node> {
        self.makers.get(&value).map(|i| &self.graph.nodes[*i])
    }

    /// The only element of a constant.
    fn scalar(&self, value: ValueId) -> Option<f32> {
        let data = self.graph.values[value.0].data.as_ref()?;
        (data.len() == 1).then(|| data[0])
    }

    /// The inputs of a commutative operation whose other operand is a constant of about `expected`.
    fn with_scalar(&self, node: &Node, expected: f32) -> Option<ValueId> {
        let near = |value| {
            self.scalar(value)
                .is_some_and(|it| (it - expected).abs() <= expected.abs() * 1e-4)
        };
        let [a, b] = [node.inputs[0], node.inputs[1]];
        if near(b) {
            Some(a)
        } else if near(a) {
            Some(b)
        } else {
            None
        }
    }

    /// Both ways round.
    fn pairs(node: &Node) -> [(ValueId, ValueId); 2] {
        let [a, b] = [node.inputs[0], node.inputs[1]];
        [(a, b), (b, a)]
    }

    /// `x * sigmoid(x)` and `x * hard_sigmoid(x)`.
    fn gated(&self, node: &Node) -> Option<(Unary, ValueId)> {
        Self::pairs(node).into_iter().find_map(|(x, gate)| {
            let gate = self.maker(gate).filter(|gate| gate.inputs[0] == x)?;
            match gate.op {
                Op::Unary(Unary::Sigmoid) => Some((Unary::Silu, x)),
                Op::Unary(Unary::HardSigmoid(alpha, 0.5)) if (alpha - 1.0 / 6.0).abs() < 1e-4 => {
                    Some((Unary::HardSwish, x))
                }
                _ => None,
            }
        })
    }

    /// `x * clamp(x + 3, 0, 6) / 6`
    fn hard_swish_divided(&self, node: &Node) -> Option<(Unary, ValueId)> {
        if self.scalar(node.inputs[1]) != Some(6.0) {
            return None;
        }
        let product = self
            .maker(node.inputs[0])
            .filter(|it| it.op == Op::Binary(Binary::Mul))?;
        Self::pairs(product).into_iter().find_map(|(x, gate)| {
            let clamp = self
                .maker(gate)
                .filter(|it| it.op == Op::Unary(Unary::Clamp(0.0, 6.0)))?;
            let sum = self
                .maker(clamp.inputs[0])
                .filter(|it| it.op == Op::Binary(Binary::Add))?;
            (self.with_scalar(sum, 3.0) == Some(x)).then_some((Unary::HardSwish, x))
        })
    }

    /// `x * (erf(x / sqrt(2)) + 1) * 0.5`, in either order of the products.
    fn gelu(&self, node: &Node) -> Option<(Unary, ValueId)> {
        // (x * (…)) * 0.5
        if let Some(product) = self.with_scalar(node, 0.5) {
            let product = self
                .maker(product)
                .filter(|it| it.op == Op::Binary(Binary::Mul))?;
            return Self::pairs(product)
                .into_iter()
                .find_map(|(x, gate)| self.is_erf_gate(gate, x).then_some((Unary::Gelu, x)));
        }
        // (x * 0.5) * (…)
        Self::pairs(node).into_iter().find_map(|(half, gate)| {
            let half = self
                .maker(half)
                .filter(|it| it.op == Op::Binary(Binary::Mul))?;
            let x = self.with_scalar(half, 0.5)?;
            self.is_erf_gate(gate, x).then_some((Unary::Gelu, x))
        })
    }

    /// `erf(x / sqrt(2)) + 1`
    fn is_erf_gate(&self, gate: ValueId, x: ValueId) -> bool {
        let inner = || {
            let sum = self
                .maker(gate)
                .filter(|it| it.op == Op::Binary(Binary::Add))?;
            let erf = self.maker(self.with_scalar(sum, 1.0)?)?;
            let scaled = self
                .maker(erf.inputs[0])
                .filter(|_| erf.op == Op::Unary(Unary::Erf))?;
            match scaled.op {
                Op::Binary(Binary::Div) => {
                    let near =
                        (self.scalar(scaled.inputs[1])? - std::f32::consts::SQRT_2).abs() < 1e-4;
                    near.then_some(scaled.inputs[0])
                }
                Op::Binary(Binary::Mul) => {
                    self.with_scalar(scaled, std::f32::consts::FRAC_1_SQRT_2)
                }
                _ => None,
            }
        };
        inner() == Some(x)
    }

    /// `(x - mean) / sqrt(mean((x - mean)²) + epsilon)` over the last axes.
    fn norm(&self, node: &Node) -> Option<(Op, Vec<ValueId>)> {
        let centred = node.inputs[0];
        let root = self
            .maker(node.inputs[1])
            .filter(|it| it.op == Op::Unary(Unary::Sqrt))?;
        let sum = self
            .maker(root.inputs[0])
            .filter(|it| it.op == Op::Binary(Binary::Add))?;
        let (variance, epsilon) = Self::pairs(sum)
            .into_iter()
            .find_map(|(value, constant)| Some((value, self.scalar(constant)?)))?;
        let variance = self.maker(variance)?;
        let axes = self.last_axes(&variance.op, variance.output)?;
        let square = self.maker(variance.inputs[0])?;
        let is_square = square.inputs[0] == centred
            && match square.op {
                Op::Binary(Binary::Pow) => self.scalar(square.inputs[1]) == Some(2.0),
                Op::Binary(Binary::Mul) => square.inputs[1] == centred,
                _ => false,
            };
        let difference = self
            .maker(centred)
            .filter(|it| it.op == Op::Binary(Binary::Sub))?;
        let mean = self.maker(difference.inputs[1])?;
        let x = difference.inputs[0];
        let same = self.last_axes(&mean.op, mean.output) == Some(axes) && mean.inputs[0] == x;
        (is_square && same).then(|| {
            (
                Op::LayerNorm {
                    axis: axes,
                    epsilon,
                },
                vec![x],
            )
        })
    }

    /// The first of the axes, if the mean of all axes from it on is computed.
    fn last_axes(&self, op: &Op, output: ValueId) -> Option<usize> {
        let Op::Reduce {
            reduction: Reduction::Mean,
            axes,
        } = op
        else {
            return None;
        };
        let rank = self.graph.values[output.0].shape.len();
        let first = *axes.first()?;
        axes.iter().copied().eq(first..rank).then_some(first)
    }

    /// A layer normalisation with a scale.
    fn scaled_norm(&self, node: &Node) -> Option<(Op, Vec<ValueId>)> {
        self.norm_with(node, 1)
    }

    /// A layer normalisation with scale and bias.
    fn shifted_norm(&self, node: &Node) -> Option<(Op, Vec<ValueId>)> {
        self.norm_with(node, 2)
    }

    fn norm_with(&self, node: &Node, inputs: usize) -> Option<(Op, Vec<ValueId>)> {
        Self::pairs(node).into_iter().find_map(|(norm, constant)| {
            let norm = self.maker(norm).filter(|it| it.inputs.len() == inputs)?;
            let Op::LayerNorm { axis, .. } = norm.op else {
                return None;
            };
            let value = &self.graph.values[constant.0];
            let fits = value.data.is_some()
                && value.shape == self.graph.values[norm.output.0].shape[axis..];
            fits.then(|| (norm.op.clone(), [&*norm.inputs, &[constant]].concat()))
        })
    }
}
