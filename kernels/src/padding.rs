//! Padded maps, which mostly exist only as coordinates.

/// Where row or column `at` of a padded map is in the map itself, which has `len` of them; `None` if it is padding.
#[inline(always)]
pub(crate) fn unpadded(at: usize, pad_begin: usize, len: usize) -> Option<usize> {
    match at.checked_sub(pad_begin) {
        Some(at) if at < len => Some(at),
        _ => None,
    }
}
