//! The files: names and tensors, which borrow their elements.

mod pytorch;
mod safetensors;

use crate::CheckpointError;
use crate::tensor::Tensor;

/// Tensors of a file, at most. The architectures have fewer than 1000.
const TENSORS_MAX: usize = 20_000;

/// Whether the file is none of PyTorch's.
pub(crate) fn is_safetensors(bytes: &[u8]) -> bool {
    !pytorch::is_it(bytes)
}

/// Reads a file of any of the formats. Every tensor is inside it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<(String, Tensor<'_>)>, CheckpointError> {
    let tensors = if is_safetensors(bytes) {
        safetensors::parse(bytes)?
    } else {
        pytorch::parse(bytes)?
    };
    match tensors.len() {
        0 => Err(CheckpointError::malformed("it has no tensors")),
        1..=TENSORS_MAX => Ok(tensors),
        _ => Err(CheckpointError::malformed("it has too many tensors")),
    }
}
