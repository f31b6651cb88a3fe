//! The first rows of a compressed strip or tile that is cut or damaged.

use std::hash::{DefaultHasher, Hash, Hasher};

use ::tiff::decoder::DecodingResult;

use super::FileDecoder;

/// Decodes `chunk` as far as its data reach. Returns its rows, and how many of them, from the top, are decoded; the others hold
/// anything. `None` if no row can be decoded.
pub(super) fn read(
    decoder: &mut FileDecoder<'_>,
    chunk: u32,
    pixel_bits: u64,
) -> Option<(DecodingResult, u32)> {
    // Any number of bytes that is a whole number of samples.
    const GAP_BYTES: usize = 8;
    let (width, height) = decoder.chunk_data_dimensions(chunk);
    let row_bits = u64::from(width).checked_mul(pixel_bits)?;
    let row_bytes = usize::try_from(row_bits.div_ceil(8)).ok()?;
    let rows = rows_present(decoder, chunk, row_bytes, height)?;
    // With a gap between rows, the decoder finishes one after the other: their byte order and predictor. Without gaps it
    // does so only when all of them are there.
    let stride = row_bytes.checked_add(GAP_BYTES)?;
    let mut result = DecodingResult::U8(Vec::new());
    let _ = decoder.read_chunk_to_buffer(&mut result, chunk, stride);
    let close_gaps = Gaps { row_bytes, stride };
    let finished = match &mut result {
        DecodingResult::U8(values) => close_gaps.close(values),
        DecodingResult::U16(values) => close_gaps.close(values),
        DecodingResult::U32(values) => close_gaps.close(values),
        DecodingResult::F16(values) => close_gaps.close(values),
        DecodingResult::F32(values) => close_gaps.close(values),
        _ => return None,
    };
    // None if the decoder has rejected the buffer.
    let rows = rows.min(u32::try_from(finished).ok()?);
    (rows > 0).then_some((result, rows))
}

/// How many rows do not depend on what was in the buffer before.
fn rows_present(
    decoder: &mut FileDecoder<'_>,
    chunk: u32,
    row_bytes: usize,
    height: u32,
) -> Option<u32> {
    let mut bytes = vec![0; row_bytes.checked_mul(height as usize)?];
    let mut read_over = |before, bytes: &mut [u8]| {
        bytes.fill(before);
        let _ = decoder.read_chunk_bytes(chunk, bytes);
    };
    read_over(0, &mut bytes);
    // Hashes, because most rows are longer.
    let zeros: Vec<u64> = bytes.chunks_exact(row_bytes).map(hash).collect();
    read_over(u8::MAX, &mut bytes);
    let rows = zeros
        .into_iter()
        .zip(bytes.chunks_exact(row_bytes).map(hash));
    let rows = rows.take_while(|(zero, one)| zero == one).count();
    u32::try_from(rows).ok().filter(|&rows| rows > 0)
}

fn hash(row: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}

struct Gaps {
    row_bytes: usize,
    stride: usize,
}

impl Gaps {
    /// Returns the number of rows.
    fn close<T: Copy>(&self, values: &mut Vec<T>) -> usize {
        let (row, stride) = (
            self.row_bytes / size_of::<T>(),
            self.stride / size_of::<T>(),
        );
        let rows = values.len() / stride;
        for index in 1..rows {
            let begin = index * stride;
            values.copy_within(begin..begin + row, index * row);
        }
        values.truncate(rows * row);
        rows
    }
}
