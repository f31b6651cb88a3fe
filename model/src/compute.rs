use std::{fmt, str::FromStr};

use burn::tensor::Device;
use imageclassifier_kernels::Isa;

/// How the network is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// Our own kernels, as one operation on burn-flex tensors: the fast way.
    Fused(Isa),
    /// burn's own operators: the reference that the kernels are compared with.
    Plain(Backend),
}

/// The backend of burn's tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// burn-flex.
    #[default]
    Flex,
    /// burn-ndarray: slow, for an independent check.
    Ndarray,
}

impl Compute {
    /// The fused network with the fastest f32 instruction set of this machine.
    #[must_use]
    pub fn fastest() -> Self {
        Self::Fused(Isa::detect())
    }

    /// Every way in which this machine can compute in f32, fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        let plain = Backend::ALL.map(|(backend, _)| Self::Plain(backend));
        Isa::available().map(Self::Fused).chain(plain)
    }

    pub(crate) fn device(self) -> Device {
        match self {
            Self::Fused(_) | Self::Plain(Backend::Flex) => Device::flex(),
            #[allow(deprecated, reason = "kept selectable until burn drops it")]
            Self::Plain(Backend::Ndarray) => Device::ndarray(),
        }
    }
}

impl fmt::Display for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fused(isa) => write!(f, "flex, {isa} kernels"),
            Self::Plain(backend) => write!(f, "{backend}, burn's operators"),
        }
    }
}

impl Backend {
    /// Every backend, by name.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Flex, "flex"), (Self::Ndarray, "ndarray")];
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name) = Self::ALL[*self as usize];
        f.write_str(name)
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find_map(|(backend, name)| (name == text).then_some(backend))
            .ok_or_else(|| format!("there is no backend {text:?}: use flex or ndarray"))
    }
}
