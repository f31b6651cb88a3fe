//! The entries of the first directory, read before the decoder sees them: it keeps every value of a list in 32 bytes of memory,
//! whatever its limits are.

use ::tiff::tags::Tag;
use image::ImageFormat;

use crate::{
    InvalidImage,
    error::{undecodable, undecodable_because},
};

/// Most values of a list that the decoder reads: a palette for 16 bits.
const VALUES_MAX: u64 = 3 << 16;
/// The tags that the decoder reads. Other lists, such as colour profiles, may be long.
const READ: [Tag; 22] = [
    Tag::ImageWidth,
    Tag::ImageLength,
    Tag::BitsPerSample,
    Tag::Compression,
    Tag::PhotometricInterpretation,
    Tag::FillOrder,
    Tag::StripOffsets,
    Tag::Orientation,
    Tag::SamplesPerPixel,
    Tag::RowsPerStrip,
    Tag::StripByteCounts,
    Tag::PlanarConfiguration,
    Tag::Predictor,
    Tag::ColorMap,
    Tag::TileWidth,
    Tag::TileLength,
    Tag::TileOffsets,
    Tag::TileByteCounts,
    Tag::ExtraSamples,
    Tag::SampleFormat,
    Tag::JPEGTables,
    Tag::ChromaSubsampling,
];

/// # Errors
/// [`InvalidImage::Undecodable`] if there is no directory, or a list is too long.
pub(super) fn check(file: &[u8]) -> Result<(), InvalidImage> {
    // Most writers put the directory after the pixels.
    let mut entries = entries(file).ok_or_else(truncated)?;
    let is_too_long =
        |entry: Entry| entry.count > VALUES_MAX && READ.iter().any(|tag| tag.to_u16() == entry.tag);
    if entries.any(is_too_long) {
        return Err(undecodable(
            ImageFormat::Tiff,
            "a list in the directory is too long",
        ));
    }
    Ok(())
}

/// The error for a file that ends before its directory, which has the number of rows.
pub(super) fn truncated() -> InvalidImage {
    undecodable_because(
        ImageFormat::Tiff,
        "the TIFF has no complete directory, so it is probably truncated: send the whole file",
    )
}

/// One entry of the directory.
pub(super) struct Entry {
    pub(super) tag: u16,
    /// How many values it has.
    pub(super) count: u64,
    /// Where its value is in the file, or the offset of its values.
    pub(super) value_at: usize,
}

/// The entries that are present; `None` if the file has no directory.
pub(super) fn entries(file: &[u8]) -> Option<impl Iterator<Item = Entry>> {
    const BIG: u64 = 43;
    let is_little = file.starts_with(b"I");
    let number = move |at: usize, bytes: usize| {
        let bytes = file.get(at..at.checked_add(bytes)?)?;
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if is_little {
            bytes.iter().rev().fold(0, append)
        } else {
            bytes.iter().fold(0, append)
        })
    };
    // Bytes of an offset, of the number of entries, and of an entry.
    let (offset_bytes, number_bytes, entry_bytes) = if number(2, 2)? == BIG {
        (8, 8, 20)
    } else {
        (4, 2, 12)
    };
    let directory = usize::try_from(number(offset_bytes, offset_bytes)?).ok()?;
    let entries = number(directory, number_bytes)?;
    let first = directory + number_bytes;
    let all = (0..usize::try_from(entries).ok()?).map_while(move |index| {
        let entry = index.checked_mul(entry_bytes)?.checked_add(first)?;
        Some(Entry {
            tag: u16::try_from(number(entry, 2)?).ok()?,
            count: number(entry.checked_add(4)?, offset_bytes)?,
            value_at: entry + 4 + offset_bytes,
        })
    });
    Some(all)
}
