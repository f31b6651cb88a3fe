//! QOI (qoiformat.org, version 1.0). It is decoded here, so that the rows of a cut file can be counted.

use super::{
    Decoded,
    pixels::{Channels, byte_count},
};
use crate::{
    InvalidImage, dimensions::check_dimensions, error::undecodable, truncation::check_rows,
};

const HEADER_BYTES: usize = 14;
const RGB: u8 = 0xFE;
const RGBA: u8 = 0xFF;

/// Decodes the image.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let header: Option<(&[u8; HEADER_BYTES], &[u8])> = file.split_first_chunk();
    let Some((&[_, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3, channels, _], data)) = header else {
        return Err(undecodable(image::ImageFormat::Qoi, "the header is cut"));
    };
    let width = u32::from_be_bytes([w0, w1, w2, w3]);
    let height = u32::from_be_bytes([h0, h1, h2, h3]);
    check_dimensions(width, height, pixels_max)?;
    let channels = if channels == 4 {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let mut pixels = vec![u8::MAX; byte_count(width, height, channels)];
    let drawn = draw(data, &mut pixels, channels.count());
    let rows_present = drawn / width as usize;
    check_rows(u32::try_from(rows_present).unwrap_or(u32::MAX), height)?;
    Ok(Decoded::upright(channels.image(width, height, pixels)))
}

/// Draws as many pixels as there are data for. Returns their number.
fn draw(mut data: &[u8], pixels: &mut [u8], channels: usize) -> usize {
    let mut seen = [[0; 4]; 64];
    let mut pixel = [0, 0, 0, u8::MAX];
    let total = pixels.len() / channels;
    let mut rest = pixels.chunks_exact_mut(channels);
    while let Some((run, behind)) = next(data, &mut pixel, &seen) {
        data = behind;
        let [red, green, blue, alpha] = pixel.map(usize::from);
        seen[(red * 3 + green * 5 + blue * 7 + alpha * 11) % 64] = pixel;
        for place in rest.by_ref().take(run) {
            place.copy_from_slice(&pixel[..channels]);
        }
        if rest.len() == 0 {
            break;
        }
    }
    total - rest.len()
}

/// Reads the next pixel and how often it is repeated.
fn next<'a>(
    data: &'a [u8],
    pixel: &mut [u8; 4],
    seen: &[[u8; 4]; 64],
) -> Option<(usize, &'a [u8])> {
    let (&tag, rest) = data.split_first()?;
    let low = tag & 0x3F;
    Some(match (tag, tag >> 6) {
        (RGB, _) => {
            let (rgb, rest) = rest.split_first_chunk::<3>()?;
            pixel[..3].copy_from_slice(rgb);
            (1, rest)
        }
        (RGBA, _) => {
            let (rgba, rest) = rest.split_first_chunk()?;
            *pixel = *rgba;
            (1, rest)
        }
        (_, 0) => {
            *pixel = seen[usize::from(low)];
            (1, rest)
        }
        (_, 1) => {
            add(
                pixel,
                [low >> 4, low >> 2 & 3, low & 3].map(|change| change.wrapping_sub(2)),
            );
            (1, rest)
        }
        (_, 2) => {
            let (&other, rest) = rest.split_first()?;
            let green = low.wrapping_sub(32);
            let beside = |change: u8| green.wrapping_add(change).wrapping_sub(8);
            add(pixel, [beside(other >> 4), green, beside(other & 15)]);
            (1, rest)
        }
        _ => (usize::from(low) + 1, rest),
    })
}

fn add(pixel: &mut [u8; 4], change: [u8; 3]) {
    for (channel, change) in pixel.iter_mut().zip(change) {
        *channel = channel.wrapping_add(change);
    }
}
