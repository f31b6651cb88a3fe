use std::{fmt, str::FromStr};

use burn::tensor::Device;

/// What computes the network's tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// burn-flex: the fast one.
    #[default]
    Flex,
    /// burn-ndarray: slow, an independent check.
    Ndarray,
}

impl Backend {
    /// Every backend, by name.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Flex, "flex"), (Self::Ndarray, "ndarray")];

    pub(crate) fn device(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[allow(deprecated, reason = "kept selectable until burn drops it")]
            Self::Ndarray => Device::ndarray(),
        }
    }
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
            .ok_or_else(|| format!("no backend is called {text:?}: use flex or ndarray"))
    }
}
