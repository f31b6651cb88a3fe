//! Which instruction set the inner loops use: named by people, checked once, then held as a token.

use std::fmt;
use std::str::FromStr;

use fearless_simd::{Fallback, Level, Simd};

use crate::BuildError;
#[cfg(target_arch = "x86_64")]
use crate::micro::Avx512Bf16;
use crate::micro::{Operation, Singles, Tiles};

/// An instruction set that the inner loops are written for, and the precision of their products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// 16 lanes, 32 registers: x86-64 with the AVX-512 of Ice Lake, Zen 4 and later.
    Avx512,
    /// As `Avx512`, with pointwise convolutions and `fc` in bf16: Zen 4, Cooper Lake and later.
    Avx512Bf16,
    /// 8 lanes, 16 registers: x86-64-v3 (AVX2 and FMA).
    Avx2,
    /// 4 lanes, 32 registers: 64-bit ARM.
    Neon,
    /// 4 lanes: WebAssembly built with `simd128` (and multiply-add where built with `relaxed-simd`).
    Simd128,
    /// Portable Rust on groups of 4 numbers; also what Miri can run.
    Scalar,
}

impl Kernel {
    /// All kernels, fastest first.
    pub const ALL: [Self; 6] = [
        Self::Avx512Bf16,
        Self::Avx512,
        Self::Avx2,
        Self::Neon,
        Self::Simd128,
        Self::Scalar,
    ];

    /// The fastest kernel that this machine can run in f32.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().next().unwrap_or(Self::Scalar)
    }

    /// The kernels that this machine can run in f32, fastest first: their answers differ by rounding alone. `Scalar` is
    /// always the last.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|kernel| kernel.precision() == Precision::F32 && kernel.is_available())
    }

    /// Whether this machine can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.token().is_ok()
    }

    /// What the inputs and weights of its products are rounded to.
    #[must_use]
    pub fn precision(self) -> Precision {
        match self {
            Self::Avx512Bf16 => Precision::Bf16,
            Self::Avx512 | Self::Avx2 | Self::Neon | Self::Simd128 | Self::Scalar => Precision::F32,
        }
    }

    /// The name people give it: `avx512-bf16`, `avx512`, `avx2`, `neon`, `simd128` or `scalar`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512Bf16 => "avx512-bf16",
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Simd128 => "simd128",
            Self::Scalar => "scalar",
        }
    }

    /// Proof that this machine has the instruction set, or the error that says it has not.
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
        token.ok_or(BuildError::KernelUnavailable(self))
    }
}

/// What the inputs and weights of pointwise convolutions and of `fc` are rounded to. All else, and every sum, is f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Not at all.
    #[default]
    F32,
    /// 8 significant bits, to nearest, ties to even.
    Bf16,
}

impl Precision {
    /// Every precision, by name.
    pub const ALL: [(Self, &'static str); 2] = [(Self::F32, "f32"), (Self::Bf16, "bf16")];
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name) = Self::ALL[*self as usize];
        f.write_str(name)
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kernel {
    type Err = UnknownKernel;

    fn from_str(name: &str) -> Result<Self, UnknownKernel> {
        Self::ALL
            .into_iter()
            .find(|kernel| kernel.name() == name)
            .ok_or_else(|| UnknownKernel(name.to_owned()))
    }
}

/// A name that is none of the kernels'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKernel(String);

impl fmt::Display for UnknownKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown kernel {:?}: expected one of avx512-bf16, avx512, avx2, neon, simd128, scalar",
            self.0
        )
    }
}

impl std::error::Error for UnknownKernel {}

/// Proof that this machine has a kernel's instruction set. Can only be made by [`Kernel::token`].
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

/// Calls `$body` with `$simd` bound to the instruction set inside `$token`, or `$pairs` where it computes in bf16.
macro_rules! with_simd {
    ($token:expr, $simd:ident => $body:expr, $bf16:ident => $pairs:expr) => {
        match $token {
            #[cfg(target_arch = "x86_64")]
            Token::Avx512Bf16($bf16) => $pairs,
            #[cfg(target_arch = "x86_64")]
            Token::Avx512($simd) => $body,
            #[cfg(target_arch = "x86_64")]
            Token::Avx2($simd) => $body,
            #[cfg(target_arch = "aarch64")]
            Token::Neon($simd) => $body,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Token::Simd128($simd) => $body,
            Token::Scalar($simd) => $body,
        }
    };
}

impl Token {
    /// Runs `operation` compiled for this instruction set and precision.
    #[inline]
    pub(crate) fn run(self, operation: impl Operation) {
        with_simd!(
            self,
            simd => simd.vectorize(
                #[inline(always)]
                || operation.run::<_, Singles>(simd),
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

    /// The numbers in a word that products read.
    pub(crate) fn numbers_in_word(self) -> usize {
        with_simd!(self, _simd => 1, _bf16 => 2)
    }

    /// Words that `numbers` numbers have to be converted into before a product can read them: none in f32.
    pub(crate) fn converted_len(self, numbers: usize) -> usize {
        with_simd!(self, _simd => 0, _bf16 => numbers / 2)
    }

    /// Numbers in a vector.
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
    S::VECTORS
}

fn has_halves<S: Tiles>(_: S) -> bool {
    S::HALVES.is_some()
}
