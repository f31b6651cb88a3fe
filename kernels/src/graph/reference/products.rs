//! Matrix products.

use super::Operand;
use super::moves::broadcast_strides;

pub(super) fn matmul(a: Operand<'_>, b: Operand<'_>, shape: &[usize], output: &mut [f32]) {
    let rank = shape.len();
    let (m, n) = (shape[rank - 2], shape[rank - 1]);
    let k = a.shape[a.shape.len() - 1];
    for (i, output) in output.chunks_exact_mut(m * n).enumerate() {
        let [a, b] = [a, b].map(|it| &it.data[matrix_start(it.shape, &shape[..rank - 2], i)..]);
        for (row, output) in a.chunks_exact(k).zip(output.chunks_exact_mut(n)) {
            output.fill(0.0);
            for (x, weights) in row.iter().zip(b.chunks_exact(n)) {
                for (sum, w) in output.iter_mut().zip(weights) {
                    *sum += x * w;
                }
            }
        }
    }
}

/// Where matrix `i` of those that `batch` counts begins in a value that broadcasts.
pub(crate) fn matrix_start(shape: &[usize], batch: &[usize], mut i: usize) -> usize {
    let (own, matrix) = shape.split_at(shape.len() - 2);
    let strides = broadcast_strides(own, batch);
    let mut at = 0;
    for (axis, stride) in batch.iter().zip(strides).rev() {
        at += i % axis * stride;
        i /= axis;
    }
    at * matrix[0] * matrix[1]
}

pub(super) fn linear(
    transposed: bool,
    [rows, weight]: [Operand<'_>; 2],
    bias: Option<Operand<'_>>,
    output: &mut [f32],
) {
    let k = rows.shape[rows.shape.len() - 1];
    let n = weight.data.len() / k;
    for (row, output) in rows.data.chunks_exact(k).zip(output.chunks_exact_mut(n)) {
        for (o, sum) in output.iter_mut().enumerate() {
            let w = |i: usize| weight.data[if transposed { i * n + o } else { o * k + i }];
            let products = row.iter().enumerate().map(|(i, x)| x * w(i));
            *sum = bias.map_or(0.0, |bias| bias.data[o]) + products.sum::<f32>();
        }
    }
}
