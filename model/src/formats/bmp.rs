//! All variants of BMP, with and without file header, as tolerant as Chromium. The header is read here; the decoder gets a
//! plain one, for the rows that are present. Run lengths are decoded here, because the decoder supports neither RLE24 nor
//! cut files.

mod header;
mod run_length;

use std::io::Cursor;

use image::{ImageDecoder, ImageFormat, codecs::bmp::BmpDecoder};

use self::header::{Coding, Header};
use super::{
    Decoded,
    pixels::{Channels, byte_count, show_if_all_is_transparent},
};
use crate::{
    InvalidImage, dimensions::check_dimensions, error::undecodable, truncation::check_rows,
};

pub(crate) use header::{has_file_header, is_plausible_without_file_header};

const UNSUPPORTED: &str = "an unsupported or damaged header";

/// Decodes the image in a BMP file.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    decode_with(Header::of_file(file), pixels_max)
}

/// Decodes the image in a BMP file that lacks its file header.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_without_file_header(
    bytes: &[u8],
    pixels_max: u64,
) -> Result<Decoded, InvalidImage> {
    decode_with(Header::of_bitmap(bytes), pixels_max)
}

/// Decodes the image of an icon, whose directory says that it is `height` pixels high. Transparent pixels stay transparent.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_in_icon(
    bytes: &[u8],
    height: u32,
    pixels_max: u64,
) -> Result<Decoded, InvalidImage> {
    let mut header = Header::of_bitmap(bytes);
    let mut has_mask = false;
    if let Some(header) = &mut header {
        // The header counts the mask as additional rows.
        has_mask = header.height != height;
        if has_mask {
            header.height /= 2;
        }
        header.read_alpha();
    }
    // Alpha replaces the mask, as in browsers and Pillow.
    let masked = header
        .as_ref()
        .filter(|header| has_mask && !header.uses_alpha());
    let mask = masked.map(mask_of);
    let mut decoded = decode_with(header, pixels_max)?;
    if let Some(mask) = mask {
        decoded.pixels = mask.applied_to(&decoded.pixels);
    }
    Ok(decoded)
}

fn decode_with(header: Option<Header<'_>>, pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let header = header.ok_or_else(|| undecodable(ImageFormat::Bmp, UNSUPPORTED))?;
    check_dimensions(header.width, header.height, pixels_max)?;
    let pixels = match header.coding {
        Coding::Rows => return decode_rows(&header),
        Coding::RunLength(bits) => run_length::decode(&header, bits)?,
    };
    Ok(Decoded::upright(Channels::Rgb.image(
        header.width,
        header.height,
        pixels,
    )))
}

fn decode_rows(header: &Header<'_>) -> Result<Decoded, InvalidImage> {
    let failed = |error| InvalidImage::Undecodable(error);
    let row = header.row();
    // The last row's padding may be missing.
    let rows_present = (header.data.len() + row.padding) / (row.bytes + row.padding);
    let rows_present = header
        .height
        .min(u32::try_from(rows_present).unwrap_or(u32::MAX));
    check_rows(rows_present, header.height)?;
    let plain = header.plain(rows_present);
    let decoder = BmpDecoder::new_without_file_header(Cursor::new(plain)).map_err(failed)?;
    let channels = if decoder.color_type().has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let mut pixels = vec![0; byte_count(header.width, header.height, channels)];
    let missing = byte_count(header.width, header.height - rows_present, channels);
    let (white, present) = if header.top_down {
        let present = pixels.len() - missing;
        let (present, white) = pixels.split_at_mut(present);
        (white, present)
    } else {
        pixels.split_at_mut(missing)
    };
    white.fill(u8::MAX);
    decoder.read_image(present).map_err(failed)?;
    if channels == Channels::Rgba {
        show_if_all_is_transparent(present);
    }
    Ok(Decoded::upright(channels.image(
        header.width,
        header.height,
        pixels,
    )))
}

/// One bit per pixel, set if it is transparent.
struct Mask<'a> {
    bits: &'a [u8],
    row_bytes: usize,
}

/// The mask after the pixels of an icon's image.
fn mask_of<'a>(header: &Header<'a>) -> Mask<'a> {
    let row = header.row();
    let pixels = (row.bytes + row.padding).saturating_mul(header.height as usize);
    Mask {
        bits: header.data.get(pixels..).unwrap_or_default(),
        row_bytes: header.width.div_ceil(32) as usize * 4,
    }
}

impl Mask<'_> {
    fn applied_to(&self, pixels: &image::DynamicImage) -> image::DynamicImage {
        let mut rgba = pixels.to_rgba8();
        let height = rgba.height();
        for (x, y, pixel) in rgba.enumerate_pixels_mut() {
            let row = (height - 1 - y) as usize * self.row_bytes;
            let byte = self.bits.get(row + x as usize / 8).copied().unwrap_or(0);
            if byte << (x % 8) & 0x80 != 0 {
                pixel.0[3] = 0;
            }
        }
        rgba.into()
    }
}
