//! What `torch.save` writes: a pickle that refers to storages of elements. No code of the pickle runs: it may only make
//! tensors, dictionaries, lists and plain values, and everything else in it is skipped.

mod legacy;
mod pickle;
mod zip;

use std::collections::BTreeMap;

use super::Tensors;
use crate::CheckpointError;
use crate::tensor::Tensor;
use pickle::TensorParts;

/// Whether the file begins as one of those.
pub(super) fn is_it(bytes: &[u8]) -> bool {
    zip::is_it(bytes) || legacy::is_it(bytes)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Tensors<'_>, CheckpointError> {
    let tensors = if legacy::is_it(bytes) {
        legacy::parse(bytes)
    } else {
        parse_zip(bytes)
    };
    tensors.map_err(CheckpointError::Malformed)
}

fn parse_zip(bytes: &[u8]) -> Result<Tensors<'_>, String> {
    let files = zip::files(bytes)?;
    let is_pickle = |name: &&&str| {
        let folder = name.strip_suffix("/data.pkl");
        folder.is_some_and(|folder| !folder.contains('/'))
    };
    let pickle = files.keys().find(is_pickle).copied();
    let pickle = pickle.ok_or("the archive has no data.pkl: write it with torch.save")?;
    let folder = &pickle[..pickle.len() - "data.pkl".len()];
    let order = files.get(format!("{folder}byteorder").as_str());
    if order.is_some_and(|order| *order != b"little") {
        return Err("its numbers are not little-endian".to_owned());
    }
    let tensors = pickle::read(files[pickle])?.find_state_dict()?;
    place(tensors, |key| {
        files.get(format!("{folder}data/{key}").as_str()).copied()
    })
}

/// Gives tensors the storages that they refer to.
fn place<'a>(
    tensors: BTreeMap<&str, TensorParts<'_>>,
    storage: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Tensors<'a>, String> {
    let tensors = tensors.into_iter().map(|(name, parts)| {
        let key = parts.storage.key;
        let storage = storage(key).ok_or_else(|| format!("the storage {key:?} is missing"))?;
        let tensor = Tensor {
            shape: parts.shape,
            element_type: parts.storage.element_type,
            offset: parts.offset,
            strides: parts.strides,
            storage,
        };
        if tensor.is_inside() {
            Ok((name.to_owned(), tensor))
        } else {
            Err(format!("{name:?} is empty or reaches beyond its storage"))
        }
    });
    tensors.collect()
}
