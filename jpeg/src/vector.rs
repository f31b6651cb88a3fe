//! Vector operations that the transform and the colour conversion share.
//!
//! These functions and their callers are always inlined, and use no closures: if the compiler left a closure outside the
//! function with the wider instructions, it would be compiled without them, and each operation would be a call.

use fearless_simd::prelude::*;
use fearless_simd::{Bytes, i16x8, i16x16, i32x8, u8x16};

/// Alternates the two values: `first, second, first, second, …`
#[inline(always)]
pub(crate) fn alternating<S: Simd>(simd: S, first: i16, second: i16) -> i16x16<S> {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    i32x8::splat(simd, i32::from_ne_bytes([a, b, c, d])).bitcast()
}

/// Adds 128 to samples less 128, and clamps them to the range of a byte.
#[inline(always)]
pub(crate) fn to_bytes<S: Simd>(simd: S, low: i16x8<S>, high: i16x8<S>) -> u8x16<S> {
    simd.saturating_narrow_i16x8(low, high)
        .bitcast::<u8x16<S>>()
        ^ 0x80
}
