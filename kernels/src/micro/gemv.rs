//! A vector times one panel of packed weights: the fully connected layer.

use fearless_simd::prelude::SimdBase;

use super::{Operand, Operation, Tiles, load, prefetch, store};

/// Independent sums, so that the next multiply-add need not wait for the one before.
const CHAINS: usize = 4;
/// Operands from the weights that are read to those that are prefetched: weights are read once, at the speed of
/// L3.
const PREFETCH_DISTANCE: usize = 8192;

/// `output[panel] = input * weights[:, panel] + bias[panel]`, input and weights in [`Operand`]s.
pub(crate) struct Gemv<'a> {
    /// `[depth]`.
    pub(crate) input: &'a [f32],
    /// `[depth, vectors * lanes]`.
    pub(crate) weights: &'a [f32],
    /// `[vectors * lanes]`.
    pub(crate) bias: &'a [f32],
    /// Width of the panel: 1, 2 or 3.
    pub(crate) vectors: usize,
    /// `[vectors * lanes]`.
    pub(crate) output: &'a mut [f32],
}

impl Operation for Gemv<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        let width = self.vectors * S::LANES;
        assert!(self.input.len() * width <= self.weights.len());
        assert!(width <= self.bias.len() && width <= self.output.len());
        // SAFETY: the assertions above cover the depth and the width.
        unsafe {
            if self.vectors == 1 {
                return panel::<S, O, 1>(simd, self);
            }
            if self.vectors == 2 {
                return panel::<S, O, 2>(simd, self);
            }
            if const { S::NR == 3 } && self.vectors == 3 {
                return panel::<S, O, 3>(simd, self);
            }
            unreachable!("panels are 1 to {} vectors wide", S::NR);
        }
    }
}

/// # Safety
/// The bounds asserted in [`Gemv::run`] must hold.
#[inline(always)]
unsafe fn panel<S: Tiles, O: Operand<S>, const V: usize>(simd: S, it: Gemv<'_>) {
    let mut sums = [[S::f32s::splat(simd, 0.0); V]; CHAINS];
    let mut weights = it.weights.as_ptr();
    // SAFETY (all blocks): the caller's promise.
    let mut add = |x: f32, sums: &mut [S::f32s; V]| {
        let x = S::f32s::splat(simd, x);
        unroll!(line in 0..(V * S::LANES).div_ceil(16), max 3 => { prefetch(weights.wrapping_add(PREFETCH_DISTANCE + line * 16)); });
        for (v, sum) in sums.iter_mut().enumerate() {
            let w = unsafe { load(simd, weights.add(v * S::LANES)) };
            *sum = O::multiply_add(simd, x, w, *sum);
        }
        weights = unsafe { weights.add(V * S::LANES) };
    };
    let (runs, rest) = it.input.as_chunks::<CHAINS>();
    for run in runs {
        for (x, sums) in run.iter().zip(&mut sums) {
            add(*x, sums);
        }
    }
    for x in rest {
        add(*x, &mut sums[0]);
    }
    for v in 0..V {
        let total = sums.iter().fold(
            unsafe { load(simd, it.bias.as_ptr().add(v * S::LANES)) },
            |total, sum| total + sum[v],
        );
        unsafe { store::<S>(it.output.as_mut_ptr().add(v * S::LANES), total) };
    }
}
