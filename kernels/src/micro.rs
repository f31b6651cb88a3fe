//! The inner loops, generic over the vector type.
//!
//! An [`Operation`] holds slices and sizes, checks every bound before its first load, and then walks raw pointers: a
//! bounds check per load would cost as much as the multiplication it guards. The sizes come from shapes that were
//! checked when they were made, so that the products of the checks do not overflow. The vector types are
//! fearless_simd's, whose tokens prove that the machine has the instructions; only `bf16` calls intrinsics, for want of
//! such types.
//!
//! The sizes of the matrix product have the names of BLIS: a register tile is `MR` rows by `NR` vectors, and runs over
//! `KC` of the depth before the next tile.
#![allow(unsafe_code)]

/// `for $i in 0..$n`, written out: a register tile lives in registers only if every index into it is a constant before
/// the compiler decides where to keep it. It does not unroll the larger tiles by itself, and they would cost three times as
/// much.
///
/// `$n` is a constant of at most `$max`. The body is compiled `$max` times before what lies beyond `$n` is dropped, and
/// nested loops multiply that, so `$max` is as small as it can be.
macro_rules! unroll {
    ($i:ident in 0..$n:expr, max 3 => $body:block) => {
        unroll!(@ $i $n, $body, 0 1 2)
    };
    ($i:ident in 0..$n:expr, max 5 => $body:block) => {
        unroll!(@ $i $n, $body, 0 1 2 3 4)
    };
    ($i:ident in 0..$n:expr, max 8 => $body:block) => {
        unroll!(@ $i $n, $body, 0 1 2 3 4 5 6 7)
    };
    ($i:ident in 0..$n:expr, max 14 => $body:block) => {
        unroll!(@ $i $n, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    ($i:ident in 0..$n:expr, max 19 => $body:block) => {
        unroll!(@ $i $n, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
    };
    (@ $i:ident $n:expr, $body:block, $($index:literal)*) => {
        const { assert!($n <= [$($index),*].len(), "more turns than are written out") };
        $(
            if const { $index < $n } {
                #[allow(non_upper_case_globals)]
                const $i: usize = $index;
                $body
            }
        )*
    };
}

#[cfg(target_arch = "x86_64")]
mod bf16;
mod depthwise;
mod depthwise_map;
mod gather;
mod gemm;
mod gemv;
mod interleave;
mod operand;
mod pool;
mod scale;
mod sigmoid;
mod winograd;

#[cfg(target_arch = "x86_64")]
pub(crate) use bf16::Avx512Bf16;
pub(crate) use depthwise::Depthwise;
pub(crate) use depthwise_map::DepthwiseMap;
pub(crate) use gather::Gather;
pub(crate) use gemm::{Gemm, OutputLayout, Segments};
pub(crate) use gemv::Gemv;
pub(crate) use interleave::Interleave;
pub(crate) use operand::{F32, Operand, Pack};
pub(crate) use pool::AveragePool;
pub(crate) use scale::Scale;
pub(crate) use sigmoid::sigmoid;
pub(crate) use winograd::{InputTransform, OutputTransform, Tiling, transform_filter};

use fearless_simd::prelude::{Simd, SimdBase};

/// The limits of ReLU6.
pub(crate) const RELU6: [f32; 2] = [0.0, 6.0];

/// Work that is compiled once for every instruction set and precision.
pub(crate) trait Operation {
    fn run<S: Tiles, O: Operand<S>>(self, simd: S);
}

/// An instruction set, with the sizes of the register tiles that suit it.
///
/// A matrix tile of R rows and V vectors holds R * V sums, V weights and one input in registers, so R * V + V + 1 must
/// stay below the registers (a tile of 4 x 3 that fills all 16 of AVX2 makes the compiler move sums around, at 1.4 times
/// the time), and R * V should be at least 8: two multiply-adds a cycle, each with a latency of four.
pub(crate) trait Tiles: Simd {
    const LANES: usize = Self::f32s::LEN;
    /// Vectors in a panel of weights, at most.
    const NR: usize;
    /// Rows of a matrix tile that is 1, 2 or 3 vectors wide, at most.
    const MR: [usize; 3];
    /// Rows of a matrix tile that is 1 1/2 or 2 1/2 vectors wide, where vectors are so wide that such tiles pay.
    const MR_HALVES: Option<[usize; 2]> = None;
    /// Pixels of a depthwise tile, which is one vector wide.
    const PIXELS: usize;
    /// Multiply-adds over which a matrix tile runs before the next tile, so that their weights stay in L1.
    const KC: usize;
}

#[cfg(target_arch = "x86_64")]
impl Tiles for fearless_simd::x86::Avx512 {
    const NR: usize = 3;
    const MR: [usize; 3] = [14, 14, 7];
    const MR_HALVES: Option<[usize; 2]> = Some([14, 10]);
    const PIXELS: usize = 8;
    const KC: usize = 192;
}

#[cfg(target_arch = "x86_64")]
impl Tiles for fearless_simd::x86::Avx2 {
    const NR: usize = 2;
    const MR: [usize; 3] = [12, 6, 4];
    const PIXELS: usize = 8;
    const KC: usize = 384;
}

#[cfg(target_arch = "aarch64")]
impl Tiles for fearless_simd::aarch64::Neon {
    const NR: usize = 3;
    const MR: [usize; 3] = [14, 14, 7];
    const PIXELS: usize = 8;
    const KC: usize = 384;
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
impl Tiles for fearless_simd::wasm32::WasmSimd128 {
    const NR: usize = 2;
    const MR: [usize; 3] = [8, 4, 3];
    const PIXELS: usize = 8;
    const KC: usize = 384;
}

impl Tiles for fearless_simd::Fallback {
    const NR: usize = 2;
    const MR: [usize; 3] = [4, 4, 3];
    const PIXELS: usize = 4;
    const KC: usize = 384;
}

/// # Safety
/// `from` must be valid for reading `S::LANES` elements.
#[inline(always)]
unsafe fn load<S: Tiles>(simd: S, from: *const f32) -> S::f32s {
    // SAFETY: the caller's promise; f32 needs no more alignment than the pointer has.
    S::f32s::from_slice(simd, unsafe { std::slice::from_raw_parts(from, S::LANES) })
}

/// # Safety
/// `to` must be valid for writing `S::LANES` elements, and no reference to them may be alive.
#[inline(always)]
unsafe fn store<S: Tiles>(to: *mut f32, value: S::f32s) {
    // SAFETY: the caller's promise.
    value.store_slice(unsafe { std::slice::from_raw_parts_mut(to, S::LANES) });
}

/// Prefetches a cache line that will be read soon, where the machine has such an instruction.
#[inline(always)]
fn prefetch(_line: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address, mapped or not, affects speed alone; every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(_line.cast());
    }
}

/// Splits `total` rows into tiles of at most `most` that differ by one at most, so that no tile is a small remainder.
///
/// Where even one tile would be smaller than half of `most` it falls back to single rows, so that the tiles have only
/// the heights 1 and `most.div_ceil(2)..=most`, for which the inner loops are compiled.
#[derive(Clone, Copy)]
struct Split {
    tiles: usize,
    rows: usize,
    longer: usize,
}

impl Split {
    #[inline(always)]
    fn new(total: usize, most: usize) -> Self {
        if total < most.div_ceil(2) {
            return Self {
                tiles: total,
                rows: 1,
                longer: 0,
            };
        }
        let tiles = total.div_ceil(most);
        Self {
            tiles,
            rows: total / tiles,
            longer: total % tiles,
        }
    }

    /// Whether tiles of at most `most` rows can have `rows` rows.
    const fn makes(rows: usize, most: usize) -> bool {
        rows == 1 || (most.div_ceil(2) <= rows && rows <= most)
    }

    /// First row and height of tile `i`.
    #[inline(always)]
    fn tile(self, i: usize) -> (usize, usize) {
        (
            i * self.rows + i.min(self.longer),
            self.rows + usize::from(i < self.longer),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Split;

    #[test]
    fn tiles_cover_every_row_once_in_compiled_heights() {
        for most in 1..=14 {
            for total in 0..200 {
                let split = Split::new(total, most);
                let mut next = 0;
                for (at, rows) in (0..split.tiles).map(|i| split.tile(i)) {
                    assert_eq!(at, next);
                    assert!(Split::makes(rows, most), "{total} {most} {rows}");
                    next += rows;
                }
                assert_eq!(next, total);
            }
        }
    }
}
