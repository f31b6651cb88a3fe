//! Compares what a TIFF file says about itself with its length and its image before anything is decoded: strips and tiles
//! can overlap, be larger than the image, or contain JPEGs of any size.

use ::tiff::{
    decoder::ChunkType,
    tags::{CompressionMethod, Tag},
};
use image::ImageFormat;
use memchr::memchr_iter;

use super::{FileDecoder, failed, tag};
use crate::{InvalidImage, error::undecodable};

/// One strip for each row of the largest image that scanners make.
const CHUNKS_MAX: usize = 1 << 16;
/// CMYK with two extra channels.
const SAMPLES_MAX: u32 = 6;
/// How far the pixels of all tiles may exceed a small image's; for larger ones they may be twice the image's.
const PADDING_PIXELS_MAX: u64 = 1 << 22;
/// What the file has of all chunks may together be twice as long as the file: some writers let them share data.
const SHARING_MAX: u64 = 2;
/// JPEGs consist of whole blocks, so they may be this much larger on each side.
const JPEG_BLOCK: u64 = 64;

/// # Errors
/// [`InvalidImage::Undecodable`].
pub(super) fn check(decoder: &mut FileDecoder<'_>, file: &[u8]) -> Result<(), InvalidImage> {
    let reject = |reason: &'static str| Err(undecodable(ImageFormat::Tiff, reason));
    if tag(decoder, Tag::SamplesPerPixel)?.unwrap_or(1) > SAMPLES_MAX {
        return reject("too many channels");
    }
    let (width, height) = decoder.dimensions().map_err(failed)?;
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    let (offsets, counts) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => {
            let whole = |length: u32, chunk: u32| {
                u64::from(length.div_ceil(chunk)).saturating_mul(u64::from(chunk))
            };
            let pixels = whole(width, chunk_width).saturating_mul(whole(height, chunk_height));
            let image = u64::from(width) * u64::from(height);
            if pixels > image.saturating_mul(2).max(image + PADDING_PIXELS_MAX) {
                return reject("tiles far larger than the image");
            }
            (Tag::TileOffsets, Tag::TileByteCounts)
        }
    };
    let mut numbers = |tag| decoder.find_tag_unsigned_vec::<u64>(tag).map_err(failed);
    let offsets = numbers(offsets)?.unwrap_or_default();
    let counts = numbers(counts)?.unwrap_or_default();
    if offsets.len() > CHUNKS_MAX {
        return reject("too many strips or tiles");
    }
    let length = file.len() as u64;
    // Of a cut file, what lies beyond its end does not count.
    let present = offsets.iter().zip(&counts);
    let present = present.map(|(&offset, &count)| count.min(length.saturating_sub(offset)));
    if present.sum::<u64>() > length.saturating_mul(SHARING_MAX) {
        return reject("strips or tiles that lie on each other");
    }
    let jpeg = u32::from(CompressionMethod::ModernJPEG.to_u16());
    if tag(decoder, Tag::Compression)? == Some(jpeg) {
        let side = |length: u32| u64::from(length) + JPEG_BLOCK;
        let pixels_max = side(chunk_width.min(width)) * side(chunk_height.min(height));
        if jpeg_dimensions(file).any(|pixels| pixels > pixels_max) {
            return reject("a JPEG larger than its strip or tile");
        }
    }
    Ok(())
}

/// The pixel counts in all JPEG frame headers of the file. Other bytes look like one only by chance or in metadata.
fn jpeg_dimensions(file: &[u8]) -> impl Iterator<Item = u64> {
    memchr_iter(0xFF, file).filter_map(|at| {
        let &[_, marker, _, length, _, h0, h1, w0, w1, components] =
            file.get(at..)?.first_chunk()?;
        // 0xC4, 0xC8 and 0xCC are not frames. The length of a frame's header follows from its number of components.
        let is_frame = matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
        let side = |bytes| u64::from(u16::from_be_bytes(bytes));
        (is_frame && u16::from(length) == 8 + 3 * u16::from(components))
            .then(|| side([w0, w1]) * side([h0, h1]))
    })
}
