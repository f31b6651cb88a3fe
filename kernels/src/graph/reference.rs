//! Every operation in plain loops: the reference, and what computes constants.

mod elementwise;
mod maps;
mod moves;
mod products;
pub(crate) mod rows;

use super::op::Op;
pub(crate) use elementwise::{apply, combine};
pub(crate) use maps::{average, padded_count};
pub(crate) use products::matrix_start;

/// What an operation reads: row-major.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) data: &'a [f32],
}

/// Computes an operation whose shapes have been checked.
pub(crate) fn evaluate(op: &Op, inputs: &[Operand<'_>], shape: &[usize]) -> Vec<f32> {
    let mut output = vec![0.0; shape.iter().product()];
    evaluate_into(op, inputs, shape, &mut output);
    output
}

/// As [`evaluate`], into a buffer of the output's length.
pub(crate) fn evaluate_into(op: &Op, inputs: &[Operand<'_>], shape: &[usize], output: &mut [f32]) {
    let input = inputs[0];
    match op {
        Op::Conv(conv) => maps::conv(conv, inputs, shape, output),
        Op::Pool(pool) => maps::pool(pool, input, shape, output),
        Op::Reduce { reduction, axes } => rows::reduce(*reduction, axes, input, shape, output),
        Op::MatMul => products::matmul(input, inputs[1], shape, output),
        Op::Linear {
            transposed,
            bias,
            residual,
            activation,
        } => {
            let bias = bias.then(|| inputs[2]);
            let residual = residual.then(|| inputs[inputs.len() - 1]);
            products::linear(*transposed, [input, inputs[1]], bias, output);
            finish(residual, *activation, output);
        }
        Op::Binary(binary) => elementwise::binary(*binary, input, inputs[1], shape, output),
        Op::Unary(unary) => {
            output.copy_from_slice(input.data);
            apply(*unary, output);
        }
        Op::Softmax { axis } => rows::softmax(*axis, input, output),
        Op::LayerNorm { axis, epsilon } => rows::layer_norm(*axis, *epsilon, inputs, output),
        Op::Reshape(_) => output.copy_from_slice(input.data),
        Op::Transpose(permutation) => moves::transpose(permutation, input, shape, output),
        Op::Concat { axis } => moves::concat(*axis, inputs, shape, output),
        Op::Slice(axes) => moves::slice(axes, input, shape, output),
        Op::Pad { before, value, .. } => moves::pad(before, *value, input, shape, output),
        Op::Gather { axis, indices } => moves::gather(*axis, indices, input, output),
        Op::Expand(_) => moves::expand(input, shape, output),
    }
}

/// What is fused into a product: a residual, then an activation.
fn finish(residual: Option<Operand<'_>>, activation: Option<super::Unary>, output: &mut [f32]) {
    if let Some(residual) = residual {
        for (x, residual) in output.iter_mut().zip(residual.data) {
            *x += residual;
        }
    }
    if let Some(activation) = activation {
        apply(activation, output);
    }
}
