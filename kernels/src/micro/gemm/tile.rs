//! The register tiles of the matrix product.

use std::ops::Range;

use fearless_simd::prelude::{Select, SimdBase, SimdMask};

use super::{Task, mr};
use crate::micro::{Operand, Split, Tiles, load, prefetch, store};

/// Calls the tile compiled for `rows`. Heights that [`Split`] never makes for this instruction set are not compiled: the
/// compiler drops `if const` before it instantiates what is inside.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
pub(super) unsafe fn tile_of<S: Tiles, O: Operand<S>, const V: usize, const HALF: bool>(
    simd: S,
    task: &Task,
    row: usize,
    rows: usize,
    segments: Range<usize>,
    prefetched: (*const f32, usize),
) {
    macro_rules! by_height {
        ($($height:literal)*) => {
            $(
                if const { Split::makes($height, mr::<S>(V, HALF)) } && rows == $height {
                    // SAFETY: the caller's promise.
                    return unsafe {
                        tile::<S, O, $height, V, HALF>(simd, task, row, segments, prefetched)
                    };
                }
            )*
        };
    }
    by_height!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    unreachable!("no tile has {rows} rows");
}

/// `R` rows from `row` on, of `V` vectors, over some of the segments: the sums stay in registers from the first to the last.
///
/// With `HALF` the last vectors of two rows share one sum, the upper half of which is the second row's: 24 channels take
/// three multiply-adds for two rows, not four.
///
/// # Safety
/// The pointers of `task` must be valid for those rows, and for the whole depth.
#[inline(always)]
unsafe fn tile<S: Tiles, O: Operand<S>, const R: usize, const V: usize, const HALF: bool>(
    simd: S,
    task: &Task,
    row: usize,
    segments: Range<usize>,
    prefetched: (*const f32, usize),
) {
    let (mut prefetched, prefetch_distance) = prefetched;
    let (first, last) = (segments.start == 0, segments.end == task.segments.count);
    let lower = S::mask32s::from_bitmask(simd, (1 << (S::LANES / 2)) - 1);
    let mut sums = [[S::f32s::splat(simd, 0.0); V]; R];
    let mut shared = [S::f32s::splat(simd, 0.0); R];
    let mut starts = [0; R];
    let (mut x, mut line) = (
        row % task.layout.line,
        row / task.layout.line * task.layout.line_stride,
    );
    for start in &mut starts {
        *start = line + x * task.layout.stride;
        x += 1;
        if x == task.layout.line {
            (x, line) = (0, line + task.layout.line_stride);
        }
    }
    // SAFETY (all blocks): the caller vouches for R rows, V vectors, and every segment. Half a vector before a last
    // vector of a row lies in the same row, as there are two vectors at least.
    if first {
        unroll!(v in 0..V, max 3 => {
            let bias = unsafe { load(simd, task.bias.add(v * S::LANES)) };
            unroll!(r in 0..R, max 14 => { sums[r][v] = bias; });
        });
        unroll!(r in 0..R, max 14 => { shared[r] = sums[r][V - 1]; });
    } else {
        unroll!(r in 0..R, max 14 => {
            let output = unsafe { task.output.add(starts[r]) };
            unroll!(v in 0..V, max 3 => { sums[r][v] = unsafe { load(simd, output.add(v * task.vector_stride)) }; });
            if HALF && r.is_multiple_of(2) {
                let other = unsafe { task.output.add(starts[partner(r, R)]) };
                let upper = unsafe { load(simd, other.add((V - 1) * S::LANES - S::LANES / 2)) };
                shared[r] = lower.select(sums[r][V - 1], upper);
            }
        });
    }
    let width = V * S::LANES;
    let mut weights = unsafe { task.weights.add(segments.start * task.segments.len * width) };
    for segment in segments {
        let input = unsafe {
            task.input
                .add(row * task.input_stride + segment * task.segments.stride)
        };
        for k in 0..task.segments.len {
            let mut w = [S::f32s::splat(simd, 0.0); V];
            unroll!(v in 0..V, max 3 => { w[v] = unsafe { load(simd, weights.add(v * S::LANES)) }; });
            unroll!(r in 0..R, max 14 => {
                let x = S::f32s::splat(simd, unsafe { *input.add(r * task.input_stride + k) });
                unroll!(v in 0..if HALF { V - 1 } else { V }, max 3 => { sums[r][v] = O::multiply_add(simd, x, w[v], sums[r][v]); });
                if HALF && r.is_multiple_of(2) {
                    let other = unsafe { *input.add(partner(r, R) * task.input_stride + k) };
                    let both = lower.select(x, S::f32s::splat(simd, other));
                    shared[r] = O::multiply_add(simd, both, w[V - 1], shared[r]);
                }
            });
            weights = unsafe { weights.add(width) };
            prefetch(prefetched);
            prefetched = prefetched.wrapping_add(prefetch_distance);
        }
    }
    if HALF {
        unroll!(r in 0..R, max 14 => { sums[r][V - 1] = shared[r - r % 2]; });
    }
    if last && let Some(residual) = task.residual {
        unroll!(r in 0..R, max 14 => {
            let residual = unsafe { residual.add(starts[r]) };
            unroll!(v in 0..V, max 3 => {
                let at = v * task.vector_stride - shift::<S>(HALF && v + 1 == V, r);
                sums[r][v] += unsafe { load(simd, residual.add(at)) };
            });
        });
    }
    if last && let Some([low, high]) = task.clamp {
        let (low, high) = (S::f32s::splat(simd, low), S::f32s::splat(simd, high));
        unroll!(r in 0..R, max 14 => {
            unroll!(v in 0..V, max 3 => { sums[r][v] = sums[r][v].max(low).min(high); });
        });
    }
    unroll!(r in 0..R, max 14 => {
        let output = unsafe { task.output.add(starts[r]) };
        // The last vector first: where it is the upper half of a shared one, its lower half lands in the vector before.
        unroll!(i in 0..V, max 3 => {
            let v = V - 1 - i;
            let at = v * task.vector_stride - shift::<S>(HALF && v + 1 == V, r);
            unsafe { store::<S>(output.add(at), sums[r][v]) };
        });
    });
}

/// The row with which an even row shares its last vector; the last row may be left alone with itself.
const fn partner(r: usize, rows: usize) -> usize {
    if r + 1 < rows { r + 1 } else { r }
}

/// How far before its place the last vector of a row begins: the second row's elements are in the upper half.
const fn shift<S: Tiles>(half: bool, r: usize) -> usize {
    if half && r % 2 == 1 { S::LANES / 2 } else { 0 }
}
