//! safetensors.

use safetensors::{Dtype, SafeTensors};

use super::Tensors;
use crate::CheckpointError;
use crate::tensor::{ElementType, Tensor};

/// 300 tensors take 40 kB. Each entry becomes a few hundred bytes while it is read.
pub(crate) const HEADER_BYTES_MAX: u64 = 4 << 20;

pub(super) fn parse(bytes: &[u8]) -> Result<Tensors<'_>, CheckpointError> {
    let header = bytes.split_first_chunk();
    let header = header.map(|(length, rest)| (u64::from_le_bytes(*length), rest));
    let problem = match header {
        Some((length, _)) if length <= HEADER_BYTES_MAX => None,
        Some((_, [b'{', ..])) => Some("the header of safetensors is longer than 4 MiB"),
        _ => Some("the file is neither safetensors nor written by torch.save"),
    };
    if let Some(problem) = problem {
        return Err(CheckpointError::malformed(problem));
    }
    let file = SafeTensors::deserialize(bytes);
    let file = file.map_err(|error| CheckpointError::malformed(error.to_string()))?;
    let tensors = file.iter().map(|(name, view)| {
        let element_type = match view.dtype() {
            Dtype::F16 => ElementType::F16,
            Dtype::BF16 => ElementType::BF16,
            Dtype::F32 => ElementType::F32,
            Dtype::F64 => ElementType::F64,
            other => ElementType::Other {
                bytes: other.bitsize() / 8,
            },
        };
        let tensor = Tensor::contiguous(view.shape().to_vec(), element_type, view.data());
        let problem =
            || CheckpointError::malformed(format!("{name:?} is empty or has too many axes"));
        tensor
            .is_inside()
            .then(|| (name.to_owned(), tensor))
            .ok_or_else(problem)
    });
    tensors.collect()
}
