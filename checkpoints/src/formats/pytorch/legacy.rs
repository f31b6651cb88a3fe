//! What `torch.save` wrote before PyTorch 1.6: five pickles one after the other, then the storages.

use std::collections::BTreeMap;

use super::{Tensors, pickle, place};

/// The first pickle: protocol 2, a long integer of ten bytes, the end.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/// Version of the format, then sizes of C's types; both are the same everywhere.
const PICKLES_BEFORE: usize = 2;

pub(super) fn is_it(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Tensors<'_>, String> {
    let mut rest = &bytes[MAGIC.len()..];
    for _ in 0..PICKLES_BEFORE {
        rest = &rest[pickle::read(rest)?.bytes..];
    }
    let network = pickle::read(rest)?;
    rest = &rest[network.bytes..];
    let tensors = network.find_state_dict()?;
    let element_types = network.element_types();
    let keys = pickle::read(rest)?;
    rest = &rest[keys.bytes..];
    let mut storages = BTreeMap::new();
    for key in keys.strings()? {
        let element_type = element_types.get(key);
        let element_type =
            element_type.ok_or_else(|| format!("nothing says what the storage {key:?} has"))?;
        let storage = rest.split_first_chunk().and_then(|(count, rest)| {
            let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
            rest.split_at_checked(count.checked_mul(element_type.bytes())?)
        });
        let (storage, after) = storage.ok_or_else(|| format!("the storage {key:?} is cut off"))?;
        storages.insert(key, storage);
        rest = after;
    }
    place(tensors, |key| storages.get(key).copied())
}
