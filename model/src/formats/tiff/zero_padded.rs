use std::io::{Read, Result, Seek, SeekFrom};

/// A reader of bytes that can continue with endless zeros, so that a cut uncompressed strip can be read, and that can reverse
/// the order of bits.
pub(super) struct ZeroPadded<'a> {
    bytes: &'a [u8],
    at: u64,
    is_padded: bool,
    is_reversed: bool,
}

impl<'a> ZeroPadded<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            is_padded: false,
            is_reversed: false,
        }
    }

    /// From now on, the lowest bit of each byte comes first.
    pub(super) fn reverse_bits(&mut self) {
        self.is_reversed = true;
    }

    /// From now on, zeros follow the bytes.
    pub(super) fn pad(&mut self) {
        self.is_padded = true;
    }
}

impl Read for ZeroPadded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length = if rest.is_empty() && self.is_padded {
            buffer.fill(0);
            buffer.len()
        } else {
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            if self.is_reversed {
                let bytes = buffer[..length].iter_mut();
                bytes.for_each(|byte| *byte = byte.reverse_bits());
            }
            length
        };
        self.at = self.at.saturating_add(length as u64);
        Ok(length)
    }
}

impl Seek for ZeroPadded<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(by) => (self.bytes.len() as u64).saturating_add_signed(by),
        };
        Ok(self.at)
    }
}
