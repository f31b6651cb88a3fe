//! TGA. It has no signature: a file counts as one if the fields of its header are consistent and the pixels are present.

use std::io::{Cursor, Read};

use image::{DynamicImage, ImageDecoder, ImageFormat, codecs::tga::TgaDecoder};

use super::{
    Decoded,
    pixels::{Channels, byte_count, show_if_all_is_transparent},
};
use crate::{
    InvalidImage,
    dimensions::check_dimensions,
    error::undecodable,
    truncation::{ROWS_PRESENT_MIN_SHARE, check_rows},
};

const HEADER_BYTES: usize = 18;
const HEIGHT_AT: usize = 14;
const DESCRIPTOR_AT: usize = 17;
/// The part of the descriptor that says how many bits of a pixel are no colour.
const ATTRIBUTE_BITS: u8 = 15;
/// The last bytes of files of version 2.
const SIGNATURE: &[u8] = b"TRUEVISION-XFILE.\0";

/// Whether these bytes are a TGA file: a valid header, and behind it either at least as many bytes as rows that are needed, or
/// runs of exactly as many pixels as the header says.
pub(crate) fn is_plausible(bytes: &[u8]) -> bool {
    let Some(header) = Header::parse(bytes) else {
        return false;
    };
    let rows = f64::from(header.rows_present(bytes));
    bytes.ends_with(SIGNATURE) || rows >= f64::from(header.height) * ROWS_PRESENT_MIN_SHARE
}

/// Decodes the image.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let header =
        Header::parse(file).ok_or_else(|| undecodable(ImageFormat::Tga, "a damaged header"))?;
    let (width, height) = (header.width, header.height);
    check_dimensions(width, height, pixels_max)?;
    let rows_present = header.rows_present(file);
    check_rows(rows_present, height)?;

    // The decoder gets a header with only the rows that are present, and without what it does not expect.
    let mut head = [0; HEADER_BYTES];
    head.copy_from_slice(&file[..HEADER_BYTES]);
    if header.ignores_attributes {
        head[DESCRIPTOR_AT] &= !ATTRIBUTE_BITS;
    }
    let rows = u16::try_from(rows_present).expect("at most the height, which has 16 bits");
    head[HEIGHT_AT..HEIGHT_AT + 2].copy_from_slice(&rows.to_le_bytes());
    let reader = Cursor::new(head).chain(&file[HEADER_BYTES..]);
    let decoder = TgaDecoder::new(reader).map_err(InvalidImage::Undecodable)?;
    let channels = match decoder.color_type().channel_count() {
        1 => Channels::Grey,
        2 => Channels::GreyAlpha,
        3 => Channels::Rgb,
        _ => Channels::Rgba,
    };
    let mut pixels = vec![u8::MAX; byte_count(width, height, channels)];
    let bytes_present = byte_count(width, rows_present, channels);
    let begin = if header.top_down {
        0
    } else {
        pixels.len() - bytes_present
    };
    let present = &mut pixels[begin..begin + bytes_present];
    decoder
        .read_image(present)
        .map_err(InvalidImage::Undecodable)?;
    if channels == Channels::Rgba {
        show_if_all_is_transparent(present);
    }
    let image: DynamicImage = channels.image(width, height, pixels);
    Ok(Decoded::upright(image))
}

/// Whether a header without a map has the size of one. Some writers leave it there.
fn describes_absent_map(header: &[u8; HEADER_BYTES]) -> bool {
    let length = u16::from_le_bytes([header[5], header[6]]);
    header[3..5] == [0; 2] && length <= 256 && matches!(header[7], 15 | 16 | 24 | 32)
}

struct Header {
    width: u32,
    height: u32,
    top_down: bool,
    /// Whether pixels have no room for the attributes that the header names. Some writers always name 8 bits.
    ignores_attributes: bool,
    run_lengths: bool,
    pixel_bytes: usize,
    data_at: usize,
}

impl Header {
    /// Parses a header; `None` unless all fields are consistent.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let number = |at| u16::from_le_bytes([header[at], header[at + 1]]);
        let [id_bytes, has_map, kind, ..] = *header;
        let (map_length, map_bits) = (number(5), header[7]);
        let (width, height) = (u32::from(number(12)), u32::from(number(HEIGHT_AT)));
        let (pixel_bits, descriptor) = (header[16], header[DESCRIPTOR_AT]);
        let attribute_bits = descriptor & ATTRIBUTE_BITS;
        let map_is_plausible = match has_map {
            0 => header[3..8] == [0; 5] || describes_absent_map(header),
            1 => (1..=256).contains(&map_length) && matches!(map_bits, 15 | 16 | 24 | 32),
            _ => false,
        };
        // Indices into the map, colours, greys; the same plus 8 as runs.
        let pixel_is_plausible = match kind & !8 {
            1 => has_map == 1 && pixel_bits == 8,
            2 => matches!(
                (pixel_bits, attribute_bits),
                (15, 0) | (16, 0 | 1 | 8) | (24 | 32, 0 | 8)
            ),
            3 => matches!((pixel_bits, attribute_bits), (8, 0 | 8) | (16, 8)),
            _ => false,
        };
        let known_bits = descriptor & 0xC0 == 0;
        if !(map_is_plausible && pixel_is_plausible && known_bits && width > 0 && height > 0) {
            return None;
        }
        let map_bytes = if has_map == 1 {
            usize::from(map_length) * usize::from(map_bits.div_ceil(8))
        } else {
            0
        };
        let parsed = Self {
            width,
            height,
            top_down: descriptor & 0x20 != 0,
            ignores_attributes: kind & !8 == 2 && pixel_bits < 32 && attribute_bits == 8,
            run_lengths: kind & 8 != 0,
            pixel_bytes: usize::from(pixel_bits.div_ceil(8)),
            data_at: HEADER_BYTES + usize::from(id_bytes) + map_bytes,
        };
        // Fields of a map that is not there make the header doubtful: then the file's length has to fit.
        let is_certain = has_map == 1 || header[3..8] == [0; 5];
        (is_certain || bytes.ends_with(SIGNATURE) || parsed.ends_with_pixels(bytes))
            .then_some(parsed)
    }

    /// Whether these are uncompressed pixels and nothing after them.
    fn ends_with_pixels(&self, file: &[u8]) -> bool {
        let pixels = u64::from(self.width) * u64::from(self.height);
        let end = self.data_at as u64 + pixels * self.pixel_bytes as u64;
        !self.run_lengths && file.len() as u64 == end
    }

    /// How many rows the file contains, at most as many as the image has.
    fn rows_present(&self, file: &[u8]) -> u32 {
        let data = file.get(self.data_at..).unwrap_or_default();
        let pixels = if self.run_lengths {
            self.pixels_in_runs(data)
        } else {
            data.len() as u64 / self.pixel_bytes as u64
        };
        let rows = pixels / u64::from(self.width);
        u32::try_from(rows).unwrap_or(u32::MAX).min(self.height)
    }

    fn pixels_in_runs(&self, mut data: &[u8]) -> u64 {
        let wanted = u64::from(self.width) * u64::from(self.height);
        let mut pixels = 0;
        while let Some((&packet, rest)) = data.split_first() {
            let count = usize::from(packet & 0x7F) + 1;
            let stored = if packet & 0x80 == 0 { count } else { 1 };
            let Some(behind) = rest.get(stored * self.pixel_bytes..) else {
                break;
            };
            data = behind;
            pixels += count as u64;
            if pixels >= wanted {
                break;
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pixels above each other.
    fn file(map: [u8; 5], bits: u8, descriptor: u8, pixels: &[u8]) -> Vec<u8> {
        let [a, b, c, d, e] = map;
        let mut file = vec![
            0, 0, 2, a, b, c, d, e, 0, 0, 0, 0, 1, 0, 2, 0, bits, descriptor,
        ];
        file.extend_from_slice(pixels);
        file
    }

    fn pixels(file: &[u8]) -> Vec<u8> {
        assert!(is_plausible(file));
        decode(file, 10)
            .expect("decoded")
            .pixels
            .into_rgb8()
            .into_raw()
    }

    #[test]
    fn attributes_without_room_are_ignored() {
        let file_24 = file([0; 5], 24, 0x28, &[3, 2, 1, 6, 5, 4]);
        assert_eq!(pixels(&file_24), [1, 2, 3, 4, 5, 6]);
        let file_16 = file([0; 5], 16, 0x28, &[0, 0x7C, 0x1F, 0]);
        assert_eq!(pixels(&file_16), [255, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn the_size_of_an_absent_map_is_ignored_if_the_length_fits() {
        for map in [[0, 0, 0, 0, 24], [0, 0, 0, 1, 24]] {
            let mut file = file(map, 24, 0x20, &[3, 2, 1, 6, 5, 4]);
            assert_eq!(pixels(&file), [1, 2, 3, 4, 5, 6]);
            file.push(0);
            assert!(!is_plausible(&file));
        }
        for map in [[1, 0, 0, 0, 24], [0, 0, 0, 1, 23], [0, 0, 1, 1, 24]] {
            assert!(!is_plausible(&file(map, 24, 0x20, &[0; 6])), "{map:?}");
        }
    }
}
