//! Packed pairs of bf16 and the instructions for them, called as intrinsics: fearless_simd has no vector of bf16.

use std::arch::x86_64::{__m256bh, __m512, __m512bh, _mm512_cvtneps_pbh, _mm512_dpbf16_ps};
use std::mem::transmute;

use fearless_simd::f32x16;
use fearless_simd::prelude::SimdInto;
use fearless_simd::x86::Avx512;

use super::{Operand, Operation};

/// Proof that this machine has AVX-512 and its instructions for bf16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Bf16 {
    avx512: Avx512,
}

impl Avx512Bf16 {
    pub(crate) fn new(avx512: Avx512) -> Option<Self> {
        is_x86_feature_detected!("avx512bf16").then_some(Self { avx512 })
    }

    /// Without the instructions for bf16.
    pub(crate) fn avx512(self) -> Avx512 {
        self.avx512
    }

    /// Runs `operation` compiled for these instructions, its products on [`PackedPair`]s.
    #[inline]
    pub(crate) fn run(self, operation: impl Operation) {
        let simd = self.avx512;
        PackedPair::vectorize(
            simd,
            #[inline(always)]
            || operation.run::<_, PackedPair>(simd),
        );
    }
}

/// Each operand is a pair of bf16, the first element in the lower half. Only [`Avx512Bf16::run`] names it.
pub(super) struct PackedPair;

impl Operand<Avx512> for PackedPair {
    const VECTOR: usize = 8;

    #[inline(always)]
    fn vectorize<R>(_: Avx512, f: impl FnOnce() -> R) -> R {
        // What fearless_simd enables for `Avx512`, or its own vectors would not be inlined, and bf16.
        #[inline]
        #[target_feature(
            enable = "adx,aes,avx512bitalg,avx512bw,avx512cd,avx512dq,avx512f,avx512ifma,avx512vbmi,avx512vbmi2,avx512vl,avx512vnni,avx512vpopcntdq,bmi1,bmi2,cmpxchg16b,fma,fxsr,gfni,lzcnt,movbe,pclmulqdq,popcnt,rdrand,rdseed,sha,vaes,vpclmulqdq,xsave,xsavec,xsaveopt,xsaves",
            enable = "avx512bf16"
        )]
        fn vectorize_avx512_bf16<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token proves the first line of features. Code that names `PackedPair` has the second.
        unsafe { vectorize_avx512_bf16(f) }
    }

    #[inline(always)]
    fn multiply_add(
        simd: Avx512,
        x: f32x16<Avx512>,
        w: f32x16<Avx512>,
        sum: f32x16<Avx512>,
    ) -> f32x16<Avx512> {
        let (x, w, sum): (__m512, __m512, __m512) = (x.into(), w.into(), sum.into());
        // SAFETY: 32 bf16 are as many bits as 16 f32, and any bits are elements. Code that names `PackedPair` has the instruction.
        unsafe {
            let (x, w) = (
                transmute::<__m512, __m512bh>(x),
                transmute::<__m512, __m512bh>(w),
            );
            _mm512_dpbf16_ps(sum, x, w).simd_into(simd)
        }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, elements: f32x16<Avx512>) {
        // SAFETY: the caller's promise: 8 operands are 16 bf16. Code that names `PackedPair` has the instruction.
        unsafe {
            let halves = _mm512_cvtneps_pbh(elements.into());
            to.cast::<__m256bh>().write_unaligned(halves);
        }
    }
}
