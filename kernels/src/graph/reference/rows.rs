//! Reductions, softmax and layer normalisation.

use super::Operand;
use super::elementwise::exp;
use crate::graph::Reduction;
use crate::graph::shapes::strides;

pub(super) fn reduce(
    reduction: Reduction,
    axes: &[usize],
    input: Operand<'_>,
    shape: &[usize],
    output: &mut [f32],
) {
    let start = match reduction {
        Reduction::Max => f32::NEG_INFINITY,
        Reduction::Mean | Reduction::Sum => 0.0,
    };
    let mut sums = vec![f64::from(start); output.len()];
    let (own, outs) = (strides(input.shape), strides(shape));
    for (i, x) in input.data.iter().enumerate() {
        let mut at = 0;
        for (axis, own) in own.iter().enumerate() {
            if !axes.contains(&axis) {
                at += i / own % input.shape[axis] * outs[axis];
            }
        }
        match reduction {
            Reduction::Max => sums[at] = sums[at].max(f64::from(*x)),
            Reduction::Mean | Reduction::Sum => sums[at] += f64::from(*x),
        }
    }
    #[allow(clippy::cast_precision_loss)] // Values have far fewer elements than f64 counts.
    let count = match reduction {
        Reduction::Mean => (input.data.len() / output.len()) as f64,
        Reduction::Sum | Reduction::Max => 1.0,
    };
    for (output, sum) in output.iter_mut().zip(sums) {
        #[allow(clippy::cast_possible_truncation)] // The result is f32.
        {
            *output = (sum / count) as f32;
        }
    }
}

pub(super) fn softmax(axis: usize, input: Operand<'_>, output: &mut [f32]) {
    let inner: usize = input.shape[axis + 1..].iter().product();
    let len = input.shape[axis];
    output.copy_from_slice(input.data);
    for block in output.chunks_exact_mut(len * inner) {
        if inner == 1 {
            softmax_row(block);
            continue;
        }
        for i in 0..inner {
            let mut row: Vec<_> = (0..len).map(|k| block[k * inner + i]).collect();
            softmax_row(&mut row);
            for (k, x) in row.into_iter().enumerate() {
                block[k * inner + i] = x;
            }
        }
    }
}

/// One softmax.
#[inline(always)]
pub(crate) fn softmax_row(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in row.iter_mut() {
        *x = exp(*x - largest);
    }
    let scale = 1.0 / sum(row);
    for x in row {
        *x *= scale;
    }
}

pub(super) fn layer_norm(axis: usize, epsilon: f32, inputs: &[Operand<'_>], output: &mut [f32]) {
    let len: usize = inputs[0].shape[axis..].iter().product();
    output.copy_from_slice(inputs[0].data);
    let parameter = |i: usize| inputs.get(i).map(|it| it.data);
    for row in output.chunks_exact_mut(len) {
        layer_norm_row(row, epsilon, parameter(1), parameter(2));
    }
}

/// One normalisation.
#[inline(always)]
pub(crate) fn layer_norm_row(
    row: &mut [f32],
    epsilon: f32,
    scale: Option<&[f32]>,
    bias: Option<&[f32]>,
) {
    #[allow(clippy::cast_precision_loss)] // Rows have few elements.
    let share = 1.0 / row.len() as f32;
    let mean = sum(row) * share;
    for x in row.iter_mut() {
        *x -= mean;
    }
    let variance = sum_of_squares(row) * share;
    let factor = 1.0 / (variance + epsilon).sqrt();
    for x in row.iter_mut() {
        *x *= factor;
    }
    if let Some(scale) = scale {
        for (x, scale) in row.iter_mut().zip(scale) {
            *x *= scale;
        }
    }
    if let Some(bias) = bias {
        for (x, bias) in row.iter_mut().zip(bias) {
            *x += bias;
        }
    }
}

/// The sum, in as many partial sums as a vector has lanes: more exact than one, and vectorised.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    lanes(row, |x| x)
}

#[inline(always)]
fn sum_of_squares(row: &[f32]) -> f32 {
    lanes(row, |x| x * x)
}

#[inline(always)]
fn lanes(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += f(chunk[lane]);
        }
    }
    let rest: f32 = rest.iter().map(|x| f(*x)).sum();
    sums.into_iter().sum::<f32>() + rest
}
