//! From coefficients to samples: the inverse DCT of Loeffler, Ligtenberg and Moschytz, complete or reduced to the lowest
//! frequencies, in 13-bit fixed point with libjpeg's rounding.
//!
//! The butterflies are multiplied out, since vector units multiply two pairs of values and add the products in one
//! instruction. Sums are exact in 32 bits, so the order of additions changes nothing. Every constant is a sum of libjpeg's
//! `FIX(…)` constants.

use fearless_simd::prelude::*;
use fearless_simd::{i16x8, i16x16, i32x8};

use crate::block::Coefficients;
use crate::vector::{alternating, to_bytes};

/// Fraction bits of the constants.
const CONSTANT_BITS: u32 = 13;
/// Fraction bits that are left after the first pass.
const BETWEEN_BITS: u32 = 2;
/// Each pass makes its values sqrt(8) times too large.
const SCALE_BITS: u32 = 3;

/// The sample of a block whose only coefficient is the first: the same at each position and each scale.
#[inline(always)]
pub(crate) fn flat(dc: i16) -> u8 {
    to_sample((i32::from(dc) + 4) >> SCALE_BITS)
}

/// Writes 8 x 8 samples to rows that are `stride` apart.
#[inline(always)]
pub(crate) fn whole<S: Simd>(simd: S, block: &Coefficients, samples: &mut [u8], stride: usize) {
    let rows = load_rows(simd, block);
    let first = whole_pass(simd, rows, CONSTANT_BITS - BETWEEN_BITS);
    let columns = transpose(simd, first);
    let second = whole_pass(simd, columns, CONSTANT_BITS + BETWEEN_BITS + SCALE_BITS);
    for (row, eight) in to_rows(simd, second).into_iter().enumerate() {
        samples[row * stride..][..8].copy_from_slice(&eight);
    }
}

/// Writes 4 x 4 samples to rows that are `stride` apart.
#[inline(always)]
pub(crate) fn half<S: Simd>(simd: S, block: &Coefficients, samples: &mut [u8], stride: usize) {
    let rows = load_rows(simd, block);
    let zero = i16x8::splat(simd, 0);
    let [a, b, c, d] = half_pass(simd, rows, CONSTANT_BITS - BETWEEN_BITS + 1);
    let columns = transpose(simd, [a, b, c, d, zero, zero, zero, zero]);
    let [a, b, c, d] = half_pass(simd, columns, CONSTANT_BITS + BETWEEN_BITS + SCALE_BITS + 1);
    let [rows @ .., _, _, _, _] = to_rows(simd, [a, b, c, d, zero, zero, zero, zero]);
    for (row, [four @ .., _, _, _, _]) in rows.into_iter().enumerate() {
        samples[row * stride..][..4].copy_from_slice(&four);
    }
}

/// Writes 2 x 2 samples at the start of rows that are `stride` apart. Of the even frequencies only the first reaches such
/// a small image.
#[inline(always)]
pub(crate) fn quarter<S: Simd>(simd: S, block: &Coefficients, samples: &mut [u8], stride: usize) {
    let y = load_rows(simd, block);
    let shift = CONSTANT_BITS - BETWEEN_BITS + 2;
    let (y01, y35) = (pair(simd, y[0], y[1]), pair(simd, y[3], y[5]));
    let y7 = pair(simd, y[7], y[0]);
    let half = i32x8::splat(simd, 1 << (shift - 1));
    let even = dot(simd, y7, 0, 16384);
    let even = even + even + half;
    let odd = dot(simd, y01, 0, 29692) + dot(simd, y35, -10426, 6967) + dot(simd, y7, -5906, 0);
    let rows = narrow(simd, (even + odd) >> shift, (even - odd) >> shift);
    let constants = i16x8::load_array(simd, [0, 29692, 0, -10426, 0, 6967, 0, -5906]);
    let shift = CONSTANT_BITS + BETWEEN_BITS + SCALE_BITS + 2;
    for (row, x) in rows.into_iter().enumerate() {
        let even = (i32::from(x[0]) << (CONSTANT_BITS + 2)) + (1 << (shift - 1));
        let [a, b, c, d] = simd.pairwise_dot_product_i16x8(x, constants).to_array();
        let odd = a.wrapping_add(b).wrapping_add(c.wrapping_add(d));
        samples[row * stride] = to_sample(even.wrapping_add(odd) >> shift);
        samples[row * stride + 1] = to_sample(even.wrapping_sub(odd) >> shift);
    }
}

#[inline(always)]
fn load_rows<S: Simd>(simd: S, block: &Coefficients) -> [i16x8<S>; 8] {
    let mut rows = [i16x8::splat(simd, 0); 8];
    for (row, eight) in rows.iter_mut().zip(block.as_chunks::<8>().0) {
        *row = i16x8::load_array_ref(simd, eight);
    }
    rows
}

#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte"
)]
fn to_sample(centred: i32) -> u8 {
    centred.wrapping_add(128).clamp(0, 255) as u8
}

/// Eight one-dimensional transforms at once. `y[i]` holds their frequencies `i`; the result's `[i]` holds their samples
/// `i`.
#[inline(always)]
fn whole_pass<S: Simd>(simd: S, y: [i16x8<S>; 8], shift: u32) -> [i16x8<S>; 8] {
    let (y04, y26) = (pair(simd, y[0], y[4]), pair(simd, y[2], y[6]));
    let (y13, y57) = (pair(simd, y[1], y[3]), pair(simd, y[5], y[7]));
    let half = i32x8::splat(simd, 1 << (shift - 1));

    let sum = dot(simd, y04, 8192, 8192) + half;
    let difference = dot(simd, y04, 8192, -8192) + half;
    let outer = dot(simd, y26, 10703, 4433);
    let inner = dot(simd, y26, 4433, -10704);
    let even = [
        sum + outer,
        difference + inner,
        difference - inner,
        sum - outer,
    ];
    let odd = [
        dot(simd, y13, 11363, 9633) + dot(simd, y57, 6437, 2260),
        dot(simd, y13, 9633, -2259) + dot(simd, y57, -11362, -6436),
        dot(simd, y13, 6437, -11362) + dot(simd, y57, 2261, 9633),
        dot(simd, y13, 2260, -6436) + dot(simd, y57, 9633, -11363),
    ];
    let [x0, x1] = narrow(
        simd,
        (even[0] + odd[0]) >> shift,
        (even[1] + odd[1]) >> shift,
    );
    let [x2, x3] = narrow(
        simd,
        (even[2] + odd[2]) >> shift,
        (even[3] + odd[3]) >> shift,
    );
    let [x4, x5] = narrow(
        simd,
        (even[3] - odd[3]) >> shift,
        (even[2] - odd[2]) >> shift,
    );
    let [x6, x7] = narrow(
        simd,
        (even[1] - odd[1]) >> shift,
        (even[0] - odd[0]) >> shift,
    );
    [x0, x1, x2, x3, x4, x5, x6, x7]
}

/// As [`whole_pass`], with four samples each, which do not depend on the middle frequency.
#[inline(always)]
fn half_pass<S: Simd>(simd: S, y: [i16x8<S>; 8], shift: u32) -> [i16x8<S>; 4] {
    let (y04, y26) = (pair(simd, y[0], y[4]), pair(simd, y[2], y[6]));
    let (y13, y57) = (pair(simd, y[1], y[3]), pair(simd, y[5], y[7]));
    let half = i32x8::splat(simd, 1 << (shift - 1));

    let first = dot(simd, y04, 16384, 0) + half;
    let second = dot(simd, y26, 15137, -6270);
    let even = [first + second, first - second];
    let odd = [
        dot(simd, y13, 20995, 7373) + dot(simd, y57, -4926, -4176),
        dot(simd, y13, 8697, -17799) + dot(simd, y57, 11893, -1730),
    ];
    let [x0, x1] = narrow(
        simd,
        (even[0] + odd[0]) >> shift,
        (even[1] + odd[1]) >> shift,
    );
    let [x2, x3] = narrow(
        simd,
        (even[1] - odd[1]) >> shift,
        (even[0] - odd[0]) >> shift,
    );
    [x0, x1, x2, x3]
}

/// `a[0], b[0], a[1], b[1], …`
#[inline(always)]
fn pair<S: Simd>(simd: S, a: i16x8<S>, b: i16x8<S>) -> i16x16<S> {
    let (low, high) = a.interleave(b);
    simd.combine_i16x8(low, high)
}

/// `a * first + b * second` of each pair.
#[inline(always)]
fn dot<S: Simd>(simd: S, pairs: i16x16<S>, first: i16, second: i16) -> i32x8<S> {
    simd.pairwise_dot_product_i16x16(pairs, alternating(simd, first, second))
}

#[inline(always)]
fn narrow<S: Simd>(simd: S, a: i32x8<S>, b: i32x8<S>) -> [i16x8<S>; 2] {
    simd.split_i16x16(simd.saturating_narrow_i32x8(a, b)).into()
}

/// Transposes rows and columns. The index of a value has three bits for the row and three for the column. Interleaving the
/// upper half of the rows with the lower rotates these six bits by one; after three rotations row and column are exchanged.
#[inline(always)]
fn transpose<S: Simd>(_: S, mut rows: [i16x8<S>; 8]) -> [i16x8<S>; 8] {
    for _ in 0..3 {
        let (a, b) = rows[0].interleave(rows[4]);
        let (c, d) = rows[1].interleave(rows[5]);
        let (e, f) = rows[2].interleave(rows[6]);
        let (g, h) = rows[3].interleave(rows[7]);
        rows = [a, b, c, d, e, f, g, h];
    }
    rows
}

/// Turns columns of centred samples into rows of bytes: transposed as above, two columns to a vector.
#[inline(always)]
fn to_rows<S: Simd>(simd: S, columns: [i16x8<S>; 8]) -> [[u8; 8]; 8] {
    let [a, b, c, d, e, f, g, h] = columns;
    let mut pairs = [
        to_bytes(simd, a, b),
        to_bytes(simd, c, d),
        to_bytes(simd, e, f),
        to_bytes(simd, g, h),
    ];
    for _ in 0..3 {
        let (a, b) = pairs[0].interleave(pairs[2]);
        let (c, d) = pairs[1].interleave(pairs[3]);
        pairs = [a, b, c, d];
    }
    let mut rows = [[0; 8]; 8];
    for (two, pair) in rows.chunks_exact_mut(2).zip(pairs) {
        let sixteen: [u8; 16] = pair.into();
        two[0].copy_from_slice(&sixteen[..8]);
        two[1].copy_from_slice(&sixteen[8..]);
    }
    rows
}
