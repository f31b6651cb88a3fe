//! What the transform and the conversion of colours do alike with vectors.
//!
//! Functions here and there are always inlined, and use no closures: a closure that the compiler leaves outside the
//! function with the wider instructions would be compiled without them, each operation a call.

use fearless_simd::prelude::*;
use fearless_simd::{Bytes, i16x8, i16x16, i32x8, u8x16};

/// `first, second, first, second, …`
#[inline(always)]
pub(crate) fn alternating<S: Simd>(simd: S, first: i16, second: i16) -> i16x16<S> {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    i32x8::splat(simd, i32::from_ne_bytes([a, b, c, d])).bitcast()
}

/// Samples less 128, cut to the range of a byte, plus 128.
#[inline(always)]
pub(crate) fn to_bytes<S: Simd>(simd: S, low: i16x8<S>, high: i16x8<S>) -> u8x16<S> {
    simd.saturating_narrow_i16x8(low, high)
        .bitcast::<u8x16<S>>()
        ^ 0x80
}
