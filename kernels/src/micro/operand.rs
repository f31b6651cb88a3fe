//! What matrix products read: operands of 32 bits, each an element in f32, or a packed pair of elements in bf16.

use fearless_simd::prelude::SimdFloat;

use super::{Operation, Tiles, load, store};

/// What an operand holds. It travels as an f32 either way: only its bits count, and loads and stores keep them.
pub(crate) trait Operand<S: Tiles> {
    /// Operands that a vector of elements is packed into.
    const VECTOR: usize;

    /// Runs `f` as a function that is compiled for the instructions of `S` and of this operand.
    fn vectorize<R>(simd: S, f: impl FnOnce() -> R) -> R;

    /// `sum` plus, lane by lane, the element or pair in `x` times that in `w`.
    fn multiply_add(simd: S, x: S::f32s, w: S::f32s, sum: S::f32s) -> S::f32s;

    /// Packs a vector of elements.
    ///
    /// # Safety
    /// `to` must be valid for writing `VECTOR` operands, and no reference to them may be alive.
    unsafe fn store(to: *mut f32, elements: S::f32s);
}

/// Each operand is an element.
pub(crate) struct F32;

impl<S: Tiles> Operand<S> for F32 {
    const VECTOR: usize = S::LANES;

    #[inline(always)]
    fn vectorize<R>(simd: S, f: impl FnOnce() -> R) -> R {
        simd.vectorize(f)
    }

    #[inline(always)]
    fn multiply_add(_: S, x: S::f32s, w: S::f32s, sum: S::f32s) -> S::f32s {
        x.mul_add(w, sum)
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, elements: S::f32s) {
        // SAFETY: the caller's promise; a vector is `S::LANES` elements.
        unsafe { store::<S>(to, elements) };
    }
}

/// Packs elements, vector by vector.
pub(crate) struct Pack<'a> {
    /// Whole vectors.
    pub(crate) input: &'a [f32],
    pub(crate) output: &'a mut [f32],
}

impl Operation for Pack<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        let vectors = self.input.len() / S::LANES;
        assert!(vectors * S::LANES == self.input.len());
        assert!(vectors * O::VECTOR <= self.output.len());
        let (input, output) = (self.input.as_ptr(), self.output.as_mut_ptr());
        for i in 0..vectors {
            // SAFETY: the assertions above cover every vector of both.
            unsafe {
                O::store(
                    output.add(i * O::VECTOR),
                    load(simd, input.add(i * S::LANES)),
                )
            };
        }
    }
}
