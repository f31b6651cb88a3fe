//! The logistic function on a vector.

use fearless_simd::prelude::{SimdBase, SimdFloat};

use super::Tiles;

/// `1 / (1 + exp(-x))`, within 3 units in the last place: the exponential is 2^n times a polynomial of degree 6 on half an
/// octave, as in the plain loops, but with fused multiply-adds where the machine has them.
#[inline(always)]
pub(crate) fn sigmoid<S: Tiles>(simd: S, x: S::f32s) -> S::f32s {
    // The logarithm of 2 in two parts, so that the rest is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting it rounds to a whole number, which it leaves in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // Beyond it the result is 0 or 1 as far as anybody can tell, and the exponential stays finite.
    const LIMIT: f32 = 87.0;
    let splat = |value: f32| S::f32s::splat(simd, value);
    // In this order NaN stays NaN.
    let clamped = splat(LIMIT).min(splat(-LIMIT).max(x));
    let shifted = clamped.mul_add(splat(-std::f32::consts::LOG2_E), splat(ROUND));
    let whole = shifted - splat(ROUND);
    let rest = whole.mul_add(splat(-LN2_HIGH), -clamped);
    let rest = whole.mul_add(splat(-LN2_LOW), rest);
    let mut sum = splat(1.987_569_2e-4);
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        sum = sum.mul_add(rest, splat(coefficient));
    }
    let mantissa = (sum * rest).mul_add(rest, rest) + splat(1.0);
    let power = S::f32s::from_bits((shifted.to_bits() << 23) + splat(1.0).to_bits());
    splat(1.0) / mantissa.mul_add(power, splat(1.0))
}
