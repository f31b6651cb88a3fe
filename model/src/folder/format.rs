use serde::Deserialize;

use super::error::ModelFolderProblem;

/// What kind of model a folder has: `format` in its `config.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A head on a built-in network.
    Head = 1,
    /// A network of the model's own, whose classes are the network's.
    Network = 2,
    /// A head on a network of the model's own.
    NetworkAndHead = 3,
}

impl Format {
    const ALL: [Self; 3] = [Self::Head, Self::Network, Self::NetworkAndHead];

    /// The format of this `config.json`. Which other fields it has depends on the format.
    pub(crate) fn of(json: &[u8]) -> Result<Self, ModelFolderProblem> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u32,
        }
        let Versioned { format } = serde_json::from_slice(json)
            .map_err(|error| ModelFolderProblem::Config(error.to_string()))?;
        let found = Self::ALL.into_iter().find(|it| it.number() == format);
        found.ok_or(ModelFolderProblem::Format(format))
    }

    pub(crate) fn number(self) -> u32 {
        self as u32
    }
}
