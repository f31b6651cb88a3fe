//! Operations that only move elements.

use super::Operand;
use crate::graph::SliceAxis;
use crate::graph::shapes::strides;

/// Elements from one entry of each axis of `shape` to the next in a value of shape `from`, which broadcasts to it.
pub(super) fn broadcast_strides(from: &[usize], shape: &[usize]) -> Vec<usize> {
    let missing = shape.len() - from.len();
    let own = strides(from);
    let stride = |i: usize| match i.checked_sub(missing) {
        Some(i) if from[i] != 1 => own[i],
        _ => 0,
    };
    (0..shape.len()).map(stride).collect()
}

/// Calls `line` for each line along the last axis of `shape`, with where it begins in the output and in two inputs, the
/// inputs' strides along it, and its length.
pub(super) fn walk2(
    shape: &[usize],
    strides: &[Vec<usize>; 2],
    mut line: impl FnMut(usize, [usize; 2], [usize; 2], usize),
) {
    let Some((&len, outer)) = shape.split_last() else {
        return line(0, [0; 2], [0; 2], 1);
    };
    let last = [0, 1].map(|k| strides[k][outer.len()]);
    let mut index = vec![0; outer.len()];
    let mut at = [0; 2];
    let mut out = 0;
    loop {
        line(out, at, last, len);
        out += len;
        let mut axis = outer.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            at[0] += strides[0][axis];
            at[1] += strides[1][axis];
            if index[axis] < outer[axis] {
                break;
            }
            at[0] -= strides[0][axis] * outer[axis];
            at[1] -= strides[1][axis] * outer[axis];
            index[axis] = 0;
        }
    }
}

/// Copies into the whole of `output`, of shape `shape`, elements of `input` that are `strides` apart along each axis, from
/// `start` on.
pub(super) fn copy_strided(
    shape: &[usize],
    start: usize,
    strides: &[isize],
    input: &[f32],
    output: &mut [f32],
) {
    let Some((&len, outer)) = shape.split_last() else {
        output[0] = input[start];
        return;
    };
    let step = strides[outer.len()];
    let mut index = vec![0; outer.len()];
    let mut at = start;
    for line in output.chunks_exact_mut(len) {
        if step == 1 {
            line.copy_from_slice(&input[at..at + len]);
        } else {
            let mut from = at;
            for x in line {
                *x = input[from];
                from = from.wrapping_add_signed(step);
            }
        }
        for axis in (0..outer.len()).rev() {
            index[axis] += 1;
            at = at.wrapping_add_signed(strides[axis]);
            if index[axis] < outer[axis] {
                break;
            }
            for _ in 0..outer[axis] {
                at = at.wrapping_add_signed(-strides[axis]);
            }
            index[axis] = 0;
        }
    }
}

fn signed(stride: usize) -> isize {
    isize::try_from(stride).expect("values fit into memory")
}

pub(super) fn transpose(
    permutation: &[usize],
    input: Operand<'_>,
    shape: &[usize],
    output: &mut [f32],
) {
    let own = strides(input.shape);
    let strides: Vec<_> = permutation.iter().map(|axis| signed(own[*axis])).collect();
    copy_strided(shape, 0, &strides, input.data, output);
}

pub(super) fn expand(input: Operand<'_>, shape: &[usize], output: &mut [f32]) {
    let strides: Vec<_> = broadcast_strides(input.shape, shape)
        .into_iter()
        .map(signed)
        .collect();
    copy_strided(shape, 0, &strides, input.data, output);
}

pub(super) fn slice(axes: &[SliceAxis], input: Operand<'_>, shape: &[usize], output: &mut [f32]) {
    let own = strides(input.shape);
    let start = axes
        .iter()
        .zip(&own)
        .map(|(axis, own)| axis.start * own)
        .sum();
    let strides: Vec<_> = axes
        .iter()
        .zip(&own)
        // The step along an axis of one entry counts for nothing, and may be any number.
        .map(|(axis, own)| match axis.len {
            0 | 1 => 0,
            _ => axis.step * signed(*own),
        })
        .collect();
    copy_strided(shape, start, &strides, input.data, output);
}

pub(super) fn concat(axis: usize, inputs: &[Operand<'_>], shape: &[usize], output: &mut [f32]) {
    let inner: usize = shape[axis + 1..].iter().product();
    let line = shape[axis] * inner;
    let mut start = 0;
    for input in inputs {
        let len = input.shape[axis] * inner;
        if len == 0 {
            continue;
        }
        for (output, input) in output
            .chunks_exact_mut(line)
            .zip(input.data.chunks_exact(len))
        {
            output[start..start + len].copy_from_slice(input);
        }
        start += len;
    }
}

pub(super) fn gather(axis: usize, indices: &[usize], input: Operand<'_>, output: &mut [f32]) {
    let inner: usize = input.shape[axis + 1..].iter().product();
    let block = input.shape[axis] * inner;
    for (output, input) in output
        .chunks_exact_mut(indices.len() * inner)
        .zip(input.data.chunks_exact(block))
    {
        for (output, index) in output.chunks_exact_mut(inner).zip(indices) {
            output.copy_from_slice(&input[index * inner..][..inner]);
        }
    }
}

pub(super) fn pad(
    before: &[usize],
    value: f32,
    input: Operand<'_>,
    shape: &[usize],
    output: &mut [f32],
) {
    output.fill(value);
    if input.data.is_empty() {
        return;
    }
    let Some((&len, outer)) = input.shape.split_last() else {
        output.copy_from_slice(input.data);
        return;
    };
    let out_strides = strides(shape);
    for (i, line) in input.data.chunks_exact(len).enumerate() {
        let mut rest = i;
        let mut at = before[outer.len()];
        for axis in (0..outer.len()).rev() {
            at += (before[axis] + rest % outer[axis]) * out_strides[axis];
            rest /= outer[axis];
        }
        output[at..at + len].copy_from_slice(line);
    }
}
