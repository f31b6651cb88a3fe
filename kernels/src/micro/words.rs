//! What matrix products read: words of 32 bits, each a number, or a pair of numbers in less precision.

use fearless_simd::prelude::SimdFloat;

use super::{Operation, Tiles, load, store};

/// What a word holds. It travels as an f32 whatever that is: only its bits count, and loads and stores keep them.
pub(crate) trait Words<S: Tiles> {
    /// Words in which a vector of numbers is stored.
    const VECTOR: usize;

    /// `sum` plus, lane by lane, the number or numbers in `x` times those in `w`.
    fn multiply_add(simd: S, x: S::f32s, w: S::f32s, sum: S::f32s) -> S::f32s;

    /// Stores a vector of numbers as words.
    ///
    /// # Safety
    /// `to` must be valid for writing `VECTOR` words, and no reference to them may be alive.
    unsafe fn store(to: *mut f32, numbers: S::f32s);
}

/// Each word is a number.
pub(crate) struct Singles;

impl<S: Tiles> Words<S> for Singles {
    const VECTOR: usize = S::LANES;

    #[inline(always)]
    fn multiply_add(_: S, x: S::f32s, w: S::f32s, sum: S::f32s) -> S::f32s {
        x.mul_add(w, sum)
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, numbers: S::f32s) {
        // SAFETY: the caller's promise; a vector is `S::LANES` words.
        unsafe { store::<S>(to, numbers) };
    }
}

/// Numbers into words, vector by vector.
pub(crate) struct ToWords<'a> {
    /// Whole vectors.
    pub(crate) input: &'a [f32],
    pub(crate) output: &'a mut [f32],
}

impl Operation for ToWords<'_> {
    #[inline(always)]
    fn run<S: Tiles, W: Words<S>>(self, simd: S) {
        let vectors = self.input.len() / S::LANES;
        assert!(vectors * S::LANES == self.input.len());
        assert!(vectors * W::VECTOR <= self.output.len());
        let (input, output) = (self.input.as_ptr(), self.output.as_mut_ptr());
        for i in 0..vectors {
            // SAFETY: the assertions above cover every vector of both.
            unsafe {
                W::store(
                    output.add(i * W::VECTOR),
                    load(simd, input.add(i * S::LANES)),
                )
            };
        }
    }
}
