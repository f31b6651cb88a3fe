//! Selects the vector instructions once for a whole image.

use fearless_simd::{Level, Simd};

/// Work that vector instructions speed up.
pub(crate) trait Work {
    /// Must be inlined into a function that may use the instructions of `simd`.
    fn run<S: Simd>(self, simd: S);
}

/// Runs `work` with the best vector instructions of this machine.
pub(crate) fn run(work: impl Work) {
    let level = Level::new();
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = level.as_avx2() {
        return simd.vectorize(
            #[inline(always)]
            || work.run(simd),
        );
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = level.as_sse2() {
        return work.run(simd);
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(simd) = level.as_neon() {
        return work.run(simd);
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if let Some(simd) = level.as_wasm_simd128() {
        return work.run(simd);
    }
    let _ = level;
    work.run(fearless_simd::Fallback::new());
}
