//! The files: names and tensors, which borrow their elements.

mod pytorch;
mod safetensors;

use std::collections::BTreeMap;

use crate::CheckpointError;
use crate::tensor::Tensor;
pub(crate) use safetensors::HEADER_BYTES_MAX;

/// Tensors by name. Every tensor is inside its file.
pub(crate) type Tensors<'a> = BTreeMap<String, Tensor<'a>>;

/// Tensors of a file, at most. The architectures have fewer than 1000.
const TENSORS_MAX: usize = 20_000;

/// Whether the file does not begin like those that `torch.save` writes.
pub(crate) fn is_safetensors(bytes: &[u8]) -> bool {
    !pytorch::is_it(bytes)
}

/// Reads what `torch.save` writes.
pub(crate) fn parse_pytorch(bytes: &[u8]) -> Result<Tensors<'_>, CheckpointError> {
    pytorch::parse(bytes).and_then(counted)
}

/// Reads safetensors.
pub(crate) fn parse_safetensors(bytes: &[u8]) -> Result<Tensors<'_>, CheckpointError> {
    safetensors::parse(bytes).and_then(counted)
}

fn counted(tensors: Tensors<'_>) -> Result<Tensors<'_>, CheckpointError> {
    match tensors.len() {
        0 => Err(CheckpointError::malformed("it has no tensors")),
        1..=TENSORS_MAX => Ok(tensors),
        _ => Err(CheckpointError::malformed("it has too many tensors")),
    }
}
