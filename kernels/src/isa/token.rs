//! Proof that this machine has an instruction set, and what follows from it.

use fearless_simd::{Fallback, Level};

use super::Isa;
use crate::BuildError;
#[cfg(target_arch = "x86_64")]
use crate::micro::Avx512Bf16;
use crate::micro::{F32, Operand, Operation, Tiles};

/// Proof that this machine has an instruction set. Only [`Isa::token`] makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token {
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16(Avx512Bf16),
    #[cfg(target_arch = "x86_64")]
    Avx512(fearless_simd::x86::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(fearless_simd::x86::Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(fearless_simd::aarch64::Neon),
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(fearless_simd::wasm32::WasmSimd128),
    Scalar(Fallback),
}

impl Isa {
    /// The proof that this machine has the instruction set.
    ///
    /// # Errors
    /// [`BuildError::IsaUnavailable`] if it has not, or if this build is for another architecture.
    pub(crate) fn token(self) -> Result<Token, BuildError> {
        let level = Level::new();
        let token = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => level
                .as_avx512()
                .and_then(Avx512Bf16::new)
                .map(Token::Avx512Bf16),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => level.as_avx512().map(Token::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => level.as_avx2().map(Token::Avx2),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => level.as_neon().map(Token::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => level.as_wasm_simd128().map(Token::Simd128),
            Self::Scalar => Some(Token::Scalar(Fallback::new())),
            _ => None,
        };
        let _ = level;
        token.ok_or(BuildError::IsaUnavailable(self))
    }
}

/// Calls `$f32` with `$simd` bound to the instruction set inside `$token`, or `$pairs` where it computes in bf16.
macro_rules! with_simd {
    ($token:expr, $simd:ident => $f32:expr, $bf16:ident => $pairs:expr) => {
        match $token {
            #[cfg(target_arch = "x86_64")]
            Token::Avx512Bf16($bf16) => $pairs,
            #[cfg(target_arch = "x86_64")]
            Token::Avx512($simd) => $f32,
            #[cfg(target_arch = "x86_64")]
            Token::Avx2($simd) => $f32,
            #[cfg(target_arch = "aarch64")]
            Token::Neon($simd) => $f32,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Token::Simd128($simd) => $f32,
            Token::Scalar($simd) => $f32,
        }
    };
}

impl Token {
    /// Runs `operation` compiled for this instruction set and precision.
    #[inline]
    pub(crate) fn run(self, operation: impl Operation) {
        with_simd!(
            self,
            simd => F32::vectorize(
                simd,
                #[inline(always)]
                || operation.run::<_, F32>(simd),
            ),
            bf16 => bf16.run(operation)
        );
    }

    /// The same instruction set in f32.
    pub(crate) fn in_f32(self) -> Self {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16(bf16) => Self::Avx512(bf16.avx512()),
            _ => self,
        }
    }

    /// Elements that are packed into one 32-bit operand of a product: 1 in f32, 2 in bf16.
    pub(crate) fn pack_factor(self) -> usize {
        with_simd!(self, _simd => 1, _bf16 => 2)
    }

    /// Length of the buffer that `elements` elements are packed into before a product reads them: 0 in f32.
    pub(crate) fn packed_len(self, elements: usize) -> usize {
        with_simd!(self, _simd => 0, _bf16 => elements / 2)
    }

    /// Elements in a vector.
    pub(crate) fn lanes(self) -> usize {
        with_simd!(self, simd => lanes(simd), bf16 => lanes(bf16.avx512()))
    }

    /// Vectors in a panel of weights, at most.
    pub(crate) fn panel_vectors(self) -> usize {
        with_simd!(self, simd => panel_vectors(simd), bf16 => panel_vectors(bf16.avx512()))
    }

    /// Whether a panel may end with half a vector.
    pub(crate) fn has_halves(self) -> bool {
        with_simd!(self, simd => has_halves(simd), bf16 => has_halves(bf16.avx512()))
    }
}

fn lanes<S: Tiles>(_: S) -> usize {
    S::LANES
}

fn panel_vectors<S: Tiles>(_: S) -> usize {
    S::NR
}

fn has_halves<S: Tiles>(_: S) -> bool {
    S::MR_HALVES.is_some()
}
