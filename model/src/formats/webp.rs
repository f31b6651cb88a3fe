//! The first frame of a WebP file. The container is read here; the decoder gets one that contains only the frame, with the
//! flags that match it.

mod container;
mod padding;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, codecs::webp::WebPDecoder, metadata::Orientation};

use self::container::Container;
use super::{Decoded, exif};
use crate::{
    InvalidImage,
    dimensions::check_dimensions,
    error::undecodable,
    truncation::{check_rows, no_rows},
};

/// How often a cut file is decoded with different bytes in place of the missing ones. An attempt at a lossy frame fails only
/// if the padding ends before the last row. At a lossless frame a third fails, with a run of pixels that goes beyond the last
/// pixel.
const ATTEMPTS_LOSSY: u32 = 3;
const ATTEMPTS_LOSSLESS: u32 = 16;
/// Most pixels that these attempts decode, not counting the first two attempts.
const PIXELS_TRIED_MAX: u64 = 8_000_000;

/// Decodes the image, with the orientation of its Exif metadata if the container announces any.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let container = Container::parse(file).ok_or_else(|| without_image(file))?;
    let (width, height) = container.canvas();
    check_dimensions(width, height, pixels_max)?;
    // The decoder allocates and decodes a frame before it compares its size with the canvas (image-webp 0.2.4).
    if let Some((width, height)) = container.frame_dimensions() {
        check_dimensions(width, height, pixels_max)?;
    }
    if container.frame_dimensions().is_none() && container.bytes_missing() > 0 {
        return Err(no_rows(height));
    }
    if !container.is_consistent() {
        return Err(undecodable(ImageFormat::WebP, "a frame is of two sizes"));
    }
    let pixels = match decode_plain(&container.plain()) {
        Err(_) if container.bytes_missing() > 0 => decode_cut(&container, height)?,
        outcome => outcome?,
    };
    let orientation = container.exif().map(exif::orientation);
    Ok(Decoded {
        pixels,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

fn without_image(file: &[u8]) -> InvalidImage {
    container::height_if_cut(file).map_or_else(
        || undecodable(ImageFormat::WebP, "there is no image in the container"),
        no_rows,
    )
}

fn decode_plain(plain: &[u8]) -> Result<DynamicImage, InvalidImage> {
    let decoder = WebPDecoder::new(Cursor::new(plain)).map_err(InvalidImage::Undecodable)?;
    DynamicImage::from_decoder(decoder).map_err(InvalidImage::Undecodable)
}

/// Decodes the truncated file twice, padded with different bytes. The decoder cannot tell where the padding begins, but from
/// there on the two images differ.
fn decode_cut(container: &Container<'_>, height: u32) -> Result<DynamicImage, InvalidImage> {
    let (width, _) = container.canvas();
    let pixels = u64::from(width) * u64::from(height);
    let attempts = u32::try_from(PIXELS_TRIED_MAX / pixels).unwrap_or(u32::MAX);
    let attempts_max = if container.is_lossy() {
        ATTEMPTS_LOSSY
    } else {
        ATTEMPTS_LOSSLESS
    };
    let attempts = 0..attempts.clamp(2, attempts_max);
    let mut attempts = attempts.filter_map(|seed| decode_plain(&container.padded(seed)).ok());
    let (mut pixels, other) = attempts
        .next()
        .zip(attempts.next())
        .ok_or_else(|| no_rows(height))?;
    let row_bytes = pixels.as_bytes().len() / height as usize;
    let rows = pixels.as_bytes().chunks_exact(row_bytes);
    let same = rows.zip(other.as_bytes().chunks_exact(row_bytes));
    let same = same.take_while(|(row, other)| row == other).count();
    let rows_present = u32::try_from(same).expect("at most the height");
    check_rows(rows_present, height)?;
    whiten_below(&mut pixels, rows_present as usize * row_bytes);
    Ok(pixels)
}

fn whiten_below(pixels: &mut DynamicImage, begin: usize) {
    match pixels {
        DynamicImage::ImageRgb8(rgb) => rgb.as_flat_samples_mut().samples[begin..].fill(u8::MAX),
        DynamicImage::ImageRgba8(rgba) => rgba.as_flat_samples_mut().samples[begin..].fill(u8::MAX),
        _ => {}
    }
}
