//! Elements that begin on a cache line, so that none of their vectors straddles two.

use std::ops::{Deref, DerefMut};

const LINE_BYTES: usize = 64;
const LINE: usize = LINE_BYTES / size_of::<f32>();

/// A slice of f32 whose first element lies on a 64-byte boundary. Without it, AVX-512 loads cost twice.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    storage: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    pub(crate) fn zeroed(len: usize) -> Self {
        let storage = vec![0.0_f32; len + LINE];
        // Where the line begins may be unknown, for example under Miri; that costs only speed.
        let start = match storage.as_ptr().align_offset(LINE_BYTES) {
            offset if offset < LINE => offset,
            _ => 0,
        };
        Self {
            storage,
            start,
            len,
        }
    }

    /// A copy of `values`, then zeros up to `len`.
    pub(crate) fn padded(values: &[f32], len: usize) -> Self {
        let mut buffer = Self::zeroed(len);
        buffer[..values.len()].copy_from_slice(values);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.storage[self.start..self.start + self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.storage[self.start..self.start + self.len]
    }
}
