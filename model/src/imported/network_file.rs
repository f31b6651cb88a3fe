use bytes::Bytes;
use imageclassifier_checkpoints::{Architecture, Checkpoint};
use imageclassifier_kernels::Graph;
use imageclassifier_onnx::Model;

use crate::{ModelFolderProblem, folder::files};

/// The file with a model's network.
#[derive(Clone, Debug)]
pub enum NetworkFile {
    /// ONNX, with all weights inside.
    Onnx(Bytes),
    /// The weights of a named architecture.
    Checkpoint {
        /// What the weights belong to.
        architecture: Architecture,
        /// safetensors.
        weights: Bytes,
    },
}

impl NetworkFile {
    /// The names that such files have in a model folder.
    pub const NAMES: [&str; 2] = [files::ONNX, files::CHECKPOINT];

    /// Size of such a file, at most. ViT-L takes 1.2 GB in f32; ONNX ends at 2 GiB.
    pub const BYTES_MAX: u64 = (2 << 30) - 1;

    /// Without an architecture, ONNX.
    pub(super) fn new(architecture: Option<Architecture>, bytes: Bytes) -> Self {
        match architecture {
            Some(architecture) => Self::Checkpoint {
                architecture,
                weights: bytes,
            },
            None => Self::Onnx(bytes),
        }
    }

    /// The name in a model folder.
    pub(super) fn name_for(architecture: Option<Architecture>) -> &'static str {
        match architecture {
            Some(_) => files::CHECKPOINT,
            None => files::ONNX,
        }
    }

    /// Its name in a model folder.
    #[must_use]
    pub fn name(&self) -> &'static str {
        Self::name_for(self.architecture())
    }

    /// What the weights belong to, if the file has only weights.
    #[must_use]
    pub fn architecture(&self) -> Option<Architecture> {
        match self {
            Self::Onnx(_) => None,
            Self::Checkpoint { architecture, .. } => Some(*architecture),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Onnx(bytes) | Self::Checkpoint { weights: bytes, .. } => bytes,
        }
    }

    /// The network for images of `input_size` x `input_size` pixels, unless the file says another size.
    pub(super) fn graph(&self, input_size: usize) -> Result<Graph, ModelFolderProblem> {
        match self {
            Self::Onnx(onnx) => {
                let graph = Model::parse(onnx).and_then(|model| model.graph(Some(input_size)));
                graph.map_err(|error| self.problem(&error))
            }
            Self::Checkpoint {
                architecture,
                weights,
            } => {
                let graph = Checkpoint::parse_safetensors(weights)
                    .and_then(|checkpoint| checkpoint.graph(*architecture, input_size));
                graph.map_err(|error| self.problem(&error))
            }
        }
    }

    /// Why the network cannot be used.
    pub(super) fn problem(&self, error: &dyn std::error::Error) -> ModelFolderProblem {
        ModelFolderProblem::Network {
            file: self.name(),
            problem: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickles_are_not_read() {
        let file = NetworkFile::Checkpoint {
            architecture: Architecture::named("resnet18").unwrap(),
            weights: Bytes::from_static(include_bytes!(
                "../../../checkpoints/tests/fixtures/plain.pth"
            )),
        };
        let problem = file.graph(32).unwrap_err().to_string();
        assert!(
            problem.contains("the file is neither safetensors nor written by torch.save"),
            "{problem}"
        );
    }
}
