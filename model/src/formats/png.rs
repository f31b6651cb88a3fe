//! PNG, as tolerant as libpng and browsers: checksums do not count, chunks that an image does not need are left out before the
//! decoder sees them, and the end may be missing.

use std::io::Cursor;

use image::{ImageFormat, metadata::Orientation};
use png::{BitDepth, ColorType, Decoder, InterlaceInfo, Limits, Reader, Transformations};

use super::{
    Decoded, exif,
    pixels::{Channels, byte_count, to_8_bits},
};
use crate::{
    InvalidImage,
    dimensions::check_dimensions,
    error::{undecodable, undecodable_because},
    truncation::{check_rows, no_rows},
};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1A\n";
/// Length of the largest palette.
const PALETTE_BYTES_MAX: usize = 3 * 256;
/// How many rows the decoder holds besides the pixels: 8 bytes for each of at most 2^24 columns are 128 MiB a row.
const ROWS_HELD: u64 = 4;
/// How many rows a line of an interlaced image's first pass stands for.
const FIRST_PASS_ROWS: u32 = 8;

/// Decodes the image; if there are several, the default one.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let (repaired, orientation) = repair(file);
    if let Some(header) = header(&repaired) {
        // The decoder has no error of its own for an image without pixels.
        check_dimensions(header.width, header.height, pixels_max)?;
    }
    let mut decoder = Decoder::new(Cursor::new(repaired.as_slice()));
    decoder.ignore_checksums(true);
    decoder.set_transformations(Transformations::EXPAND);
    let header = decoder.read_header_info().map_err(failed)?;
    let (width, height) = header.size();
    check_dimensions(width, height, pixels_max)?;
    let bytes = u64::from(width) * 8 * ROWS_HELD + u64::from(u16::MAX);
    decoder.set_limits(Limits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
    });
    let mut reader = match decoder.read_info() {
        Ok(reader) => reader,
        Err(_) if !has_image_data(&repaired) => return Err(no_rows(height)),
        Err(error) => return Err(failed(error)),
    };
    if reader.info().color_type == ColorType::Indexed && reader.info().palette.is_none() {
        return Err(without_palette());
    }
    let (color_type, depth) = reader.output_color_type();
    let channels = match color_type {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => return Err(without_palette()),
    };
    let deep = depth == BitDepth::Sixteen;
    let (bytes, rows_present) = if reader.info().interlaced {
        read_interlaced(&mut reader, channels, deep)
    } else {
        read_rows(&mut reader, channels, deep)
    };
    check_rows(rows_present, height)?;
    Ok(Decoded {
        pixels: channels.image(width, height, bytes),
        orientation,
    })
}

fn failed(error: png::DecodingError) -> InvalidImage {
    undecodable(ImageFormat::Png, error)
}

fn without_palette() -> InvalidImage {
    let reason = "the PNG has no palette, which its pixels refer to; save it again as JPEG or PNG";
    undecodable_because(ImageFormat::Png, reason)
}

type FileReader<'a> = Reader<Cursor<&'a [u8]>>;

/// The pixels, and how many rows could be decoded; the other rows are white.
fn read_rows(reader: &mut FileReader<'_>, channels: Channels, deep: bool) -> (Vec<u8>, u32) {
    let (width, height) = reader.info().size();
    let row_bytes = byte_count(width, 1, channels);
    let mut pixels = vec![0; byte_count(width, height, channels)];
    let mut deep_row = vec![0; if deep { row_bytes * 2 } else { 0 }];
    let mut rows_present = 0;
    for row in pixels.chunks_exact_mut(row_bytes) {
        let outcome = reader.read_row(if deep { &mut deep_row } else { row });
        if !matches!(outcome, Ok(Some(_))) {
            break;
        }
        if deep {
            halve(&deep_row, row);
        }
        rows_present += 1;
    }
    pixels[rows_present as usize * row_bytes..].fill(u8::MAX);
    (pixels, rows_present)
}

/// As [`read_rows`]. Pixels that later passes lack are copied from earlier passes.
fn read_interlaced(reader: &mut FileReader<'_>, channels: Channels, deep: bool) -> (Vec<u8>, u32) {
    let (width, height) = reader.info().size();
    let row_bytes = byte_count(width, 1, channels);
    let mut pixels = vec![u8::MAX; byte_count(width, height, channels)];
    let mut row = vec![0; if deep { row_bytes * 2 } else { row_bytes }];
    let mut shallow_row = vec![0; if deep { row_bytes } else { 0 }];
    let bits_per_pixel = u8::try_from(channels.count() * 8).expect("at most 32");
    let mut lines: u32 = 0;
    while let Ok(Some(interlace)) = reader.read_row(&mut row) {
        let line = if deep {
            halve(&row, &mut shallow_row);
            &shallow_row
        } else {
            &row
        };
        let InterlaceInfo::Adam7(pass) = interlace else {
            break;
        };
        png::splat_interlaced_row(&mut pixels, row_bytes, line, &pass, bits_per_pixel);
        lines = lines.saturating_add(1);
    }
    (pixels, height.min(lines.saturating_mul(FIRST_PASS_ROWS)))
}

/// Converts 16-bit values, big-endian, to 8 bits.
fn halve(deep: &[u8], row: &mut [u8]) {
    let (values, _) = deep.as_chunks();
    for (value, byte) in values.iter().zip(row) {
        *byte = to_8_bits(u16::from_be_bytes(*value));
    }
}

/// The chunks of `file` that the pixels depend on, and the image's orientation. Checksums are not computed again. The end
/// chunk is left out: the decoder hands out the rows that it already has if the data end, but not if another chunk follows
/// (png 0.18.1).
fn repair(file: &[u8]) -> (Vec<u8>, Orientation) {
    let mut repaired = Vec::with_capacity(file.len().saturating_add(12));
    repaired.extend_from_slice(SIGNATURE);
    let mut orientation = Orientation::NoTransforms;
    let mut palette_colours = None;
    for (name, content) in Chunks(file.get(SIGNATURE.len()..).unwrap_or_default()) {
        match name {
            b"IEND" => break,
            // libpng and browsers use the first entries of a list that is longer than the palette.
            b"tRNS" if header(&repaired).is_some_and(|header| header.is_indexed) => {
                let length = content.len().min(palette_colours.unwrap_or(usize::MAX));
                push(&mut repaired, name, &content[..length]);
            }
            b"IHDR" | b"IDAT" | b"tRNS" => push(&mut repaired, name, content),
            // libpng ignores more than 256 colours, a palette of less than one, and all palettes but the first.
            b"PLTE" if palette_colours.is_none() && content.len() >= 3 => {
                let length = content.len().min(PALETTE_BYTES_MAX) / 3 * 3;
                push(&mut repaired, name, &content[..length]);
                palette_colours = Some(length / 3);
            }
            b"eXIf" => orientation = exif::orientation(content),
            _ => {}
        }
    }
    (repaired, orientation)
}

fn push(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    const NO_CHECKSUM: [u8; 4] = [0; 4];
    let length = u32::try_from(content.len()).expect("a chunk's length was read as 32 bits");
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(name);
    file.extend_from_slice(content);
    file.extend_from_slice(&NO_CHECKSUM);
}

struct Header {
    width: u32,
    height: u32,
    /// Whether pixels are indices into a palette.
    is_indexed: bool,
}

/// The header, if it is where it has to be.
fn header(file: &[u8]) -> Option<Header> {
    const INDEXED: u8 = 3;
    let (name, content) = Chunks(file.get(SIGNATURE.len()..)?).next()?;
    let (width, rest) = content.split_first_chunk()?;
    let (height, rest) = rest.split_first_chunk()?;
    (name == b"IHDR").then_some(Header {
        width: u32::from_be_bytes(*width),
        height: u32::from_be_bytes(*height),
        is_indexed: rest.get(1) == Some(&INDEXED),
    })
}

fn has_image_data(file: &[u8]) -> bool {
    Chunks(&file[SIGNATURE.len()..]).any(|(name, _)| name == b"IDAT")
}

/// The chunks in these bytes: name and content; of the last one as much as is present.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const CHECKSUM_BYTES: usize = 4;
        let (length, rest) = self.0.split_first_chunk()?;
        let (name, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (content, rest) = rest.split_at(length.min(rest.len()));
        self.0 = rest.get(CHECKSUM_BYTES..).unwrap_or_default();
        Some((name, content))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    /// A row of indices: 0, 1.
    fn indexed(width: u32, height: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = SIGNATURE.to_vec();
        let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
        header.extend([8, 3, 0, 0, 0]);
        push(&mut file, b"IHDR", &header);
        for (name, content) in chunks {
            push(&mut file, name, content);
        }
        let mut data = ZlibEncoder::new(Vec::new(), Compression::fast());
        data.write_all(&[0, 0, 1]).expect("memory");
        push(&mut file, b"IDAT", &data.finish().expect("memory"));
        file
    }

    const PALETTE: (&[u8; 4], &[u8]) = (b"PLTE", &[1, 2, 3, 4, 5, 6]);

    #[test]
    fn a_missing_palette_is_named() {
        let error = decode(&indexed(2, 1, &[]), 10).expect_err("no palette");
        assert!(error.to_string().contains("has no palette"), "{error}");
    }

    #[test]
    fn an_image_without_pixels_has_wrong_dimensions() {
        for (width, height) in [(0, 1), (2, 0)] {
            let error = decode(&indexed(width, height, &[PALETTE]), 10).expect_err("no pixels");
            assert!(
                matches!(error, InvalidImage::Dimensions { .. }),
                "{error:?}"
            );
        }
    }

    #[test]
    fn transparency_beyond_the_palette_is_left_out() {
        let file = indexed(2, 1, &[PALETTE, (b"tRNS", &[7, 8, 9, 10])]);
        let pixels = decode(&file, 10).expect("decoded").pixels;
        assert_eq!(pixels.into_rgba8().into_raw(), [1, 2, 3, 7, 4, 5, 6, 8]);
    }
}
