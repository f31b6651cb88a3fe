//! Windows icons and cursors: the largest of their images, which is a PNG or a headerless BMP.

use image::ImageFormat;

use super::{Decoded, bmp, png};
use crate::{InvalidImage, error::undecodable};

const PNG_SIGNATURE: &[u8] = b"\x89PNG";
const DIRECTORY_AT: usize = 6;
const ENTRY_BYTES: usize = 16;

/// Decodes the largest image of an icon; of several of the same size, the one with the most colours, and of those the first.
/// It is displayed as it is stored: browsers and Pillow do not turn icons.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let count = usize::from(file.get(4).copied().unwrap_or(0));
    let directory = file.get(DIRECTORY_AT..).unwrap_or_default();
    let (entries, _) = directory.as_chunks::<ENTRY_BYTES>();
    let entries = entries.iter().take(count).map(Entry::parse);
    let largest = entries
        .filter(|entry| entry.begin < file.len())
        // Of equal entries, `max_by_key` returns the last one.
        .rev()
        .max_by_key(|entry| (entry.width * entry.height, entry.bits_per_pixel))
        .ok_or_else(|| undecodable(ImageFormat::Ico, "there is no image in the icon"))?;
    // The length in the directory is ignored: some icons have a wrong one, and both kinds of images contain their end.
    let image = &file[largest.begin..];
    if image.starts_with(PNG_SIGNATURE) {
        let decoded = png::decode(image, pixels_max)?;
        Ok(Decoded::upright(decoded.pixels))
    } else {
        bmp::decode_in_icon(image, largest.height, pixels_max)
    }
}

struct Entry {
    width: u32,
    height: u32,
    bits_per_pixel: u16,
    begin: usize,
}

impl Entry {
    fn parse(entry: &[u8; ENTRY_BYTES]) -> Self {
        let &[
            width,
            height,
            _,
            _,
            _,
            _,
            bits0,
            bits1,
            _,
            _,
            _,
            _,
            begin @ ..,
        ] = entry;
        // Zero stands for 256.
        let side = |length| if length == 0 { 256 } else { u32::from(length) };
        Self {
            width: side(width),
            height: side(height),
            bits_per_pixel: u16::from_le_bytes([bits0, bits1]),
            begin: usize::try_from(u32::from_le_bytes(begin)).unwrap_or(usize::MAX),
        }
    }
}
