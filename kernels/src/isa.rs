//! The instruction sets of the inner loops: chosen by name, checked once, then held as a token.

mod token;

use std::fmt;
use std::str::FromStr;

pub(crate) use token::Token;

/// An instruction set that the inner loops are written for, and the precision of their products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
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
    /// Portable Rust on groups of 4 elements; also what Miri can run.
    Scalar,
}

impl Isa {
    /// All instruction sets, fastest first.
    pub const ALL: [Self; 6] = [
        Self::Avx512Bf16,
        Self::Avx512,
        Self::Avx2,
        Self::Neon,
        Self::Simd128,
        Self::Scalar,
    ];

    /// The fastest instruction set that this machine can run in f32.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().next().unwrap_or(Self::Scalar)
    }

    /// The instruction sets that this machine can run in f32, fastest first: their results differ by rounding alone.
    /// `Scalar` is always the last.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|isa| isa.precision() == Precision::F32 && isa.is_available())
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

    /// Its name: `avx512-bf16`, `avx512`, `avx2`, `neon`, `simd128` or `scalar`.
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

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Self, UnknownIsa> {
        Self::ALL
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| UnknownIsa(name.to_owned()))
    }
}

/// A name that no instruction set has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownIsa(String);

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown instruction set {:?}: use one of {}",
            self.0,
            Isa::ALL.map(Isa::name).join(", ")
        )
    }
}

impl std::error::Error for UnknownIsa {}
