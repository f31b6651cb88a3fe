//! The netpbm formats: PBM, PGM and PPM, as text and binary, and PAM.

use std::{
    borrow::Cow,
    io::{Cursor, Read},
};

use image::{ColorType, ImageDecoder, ImageFormat, codecs::pnm::PnmDecoder};

use super::{
    Decoded,
    pixels::{Channels, byte_count, to_8_bits},
};
use crate::{
    InvalidImage, dimensions::check_dimensions, error::undecodable, truncation::check_rows,
};

/// Longer headers consist of endless comments.
const HEADER_BYTES_MAX: usize = 4096;

/// Decodes the image.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let header = Header::parse(&file[..file.len().min(HEADER_BYTES_MAX)])
        .ok_or_else(|| undecodable(ImageFormat::Pnm, "a damaged header"))?;
    let Header { width, height, .. } = header;
    check_dimensions(width, height, pixels_max)?;
    let data = &file[header.end..];
    let data = match header.layout {
        Layout::Text => without_comments(data),
        _ => data.into(),
    };
    let row_bytes = match header.layout {
        Layout::Text => None,
        Layout::Bits => Some(width.div_ceil(8) as usize),
        Layout::Samples(bytes) => Some(width as usize * bytes),
    };
    // The text formats are read as a whole, or not at all.
    let rows_present = row_bytes.map_or(height, |bytes| {
        u32::try_from(data.len() / bytes)
            .unwrap_or(u32::MAX)
            .min(height)
    });
    check_rows(rows_present, height)?;

    let plain = header.with_rows(rows_present);
    let decoder =
        PnmDecoder::new(Cursor::new(plain).chain(&*data)).map_err(InvalidImage::Undecodable)?;
    let (channels, deep) = match decoder.color_type() {
        ColorType::L8 => (Channels::Grey, false),
        ColorType::La8 => (Channels::GreyAlpha, false),
        ColorType::Rgb8 => (Channels::Rgb, false),
        ColorType::Rgba8 => (Channels::Rgba, false),
        ColorType::L16 => (Channels::Grey, true),
        ColorType::La16 => (Channels::GreyAlpha, true),
        ColorType::Rgb16 => (Channels::Rgb, true),
        ColorType::Rgba16 => (Channels::Rgba, true),
        _ => return Err(undecodable(ImageFormat::Pnm, "samples of an unusual kind")),
    };
    let bytes_present = byte_count(width, rows_present, channels);
    let mut pixels = vec![
        0;
        if deep {
            bytes_present * 2
        } else {
            bytes_present
        }
    ];
    decoder
        .read_image(&mut pixels)
        .map_err(InvalidImage::Undecodable)?;
    if deep {
        let (values, _) = pixels.as_chunks();
        pixels = values
            .iter()
            .map(|value| to_8_bits(u16::from_ne_bytes(*value)))
            .collect();
    }
    pixels.resize(byte_count(width, height, channels), u8::MAX);
    Ok(Decoded::upright(channels.image(width, height, pixels)))
}

/// The text without its comments, which end with their lines. The decoder knows only those of the header (image 0.25).
fn without_comments(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'#') {
        return text.into();
    }
    let mut is_comment = false;
    let is_kept = |byte: &u8| {
        is_comment = match byte {
            b'#' => true,
            b'\n' | b'\r' => false,
            _ => is_comment,
        };
        !is_comment
    };
    text.iter().copied().filter(is_kept).collect()
}

struct Header {
    /// The digit after the P.
    kind: u8,
    width: u32,
    height: u32,
    layout: Layout,
    sample_max: u32,
    /// PAM only: the number of channels, and their names.
    depth: u32,
    tuple_type: String,
    end: usize,
}

enum Layout {
    /// Decimal numbers.
    Text,
    Bits,
    /// This many bytes per pixel.
    Samples(usize),
}

impl Header {
    fn parse(head: &[u8]) -> Option<Self> {
        let kind = *head.get(1)?;
        if kind == b'7' {
            return Self::parse_pam(head);
        }
        let mut numbers = Numbers { head, at: 2 };
        let (width, height) = (numbers.next()?, numbers.next()?);
        let has_bits = matches!(kind, b'1' | b'4');
        let sample_max = if has_bits { 1 } else { numbers.next()? };
        let depth = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
        Some(Self {
            kind,
            width,
            height,
            layout: match kind {
                b'1'..=b'3' => Layout::Text,
                b'4' => Layout::Bits,
                _ => Layout::Samples(sample_bytes(sample_max)? * depth as usize),
            },
            sample_max,
            depth,
            tuple_type: String::new(),
            end: numbers.at,
        })
    }

    /// Parses lines of a keyword and a value.
    fn parse_pam(head: &[u8]) -> Option<Self> {
        let (mut width, mut height, mut depth, mut sample_max) = (None, None, None, None);
        let mut tuple_type = String::new();
        let mut end = 0;
        for line in head.split_inclusive(|&byte| byte == b'\n') {
            end += line.len();
            let line = str::from_utf8(line).ok()?.trim();
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            let value = value.trim();
            match word {
                "WIDTH" => width = Some(value.parse().ok()?),
                "HEIGHT" => height = Some(value.parse().ok()?),
                "DEPTH" => {
                    depth = Some(value.parse().ok().filter(|depth| (1..=4).contains(depth))?)
                }
                "MAXVAL" => sample_max = Some(value.parse().ok()?),
                "TUPLTYPE" => tuple_type = value.to_owned(),
                "ENDHDR" => {
                    let bytes = sample_bytes(sample_max?)?;
                    return Some(Self {
                        kind: b'7',
                        width: width?,
                        height: height?,
                        layout: Layout::Samples(bytes * depth? as usize),
                        sample_max: sample_max?,
                        depth: depth?,
                        tuple_type,
                        end,
                    });
                }
                _ => {}
            }
        }
        None
    }

    /// The header of an image with `rows` rows.
    fn with_rows(&self, rows: u32) -> String {
        let Self {
            width,
            sample_max,
            depth,
            ref tuple_type,
            ..
        } = *self;
        match self.kind {
            b'7' => {
                let tuple_type = if tuple_type.is_empty() {
                    String::new()
                } else {
                    format!("TUPLTYPE {tuple_type}\n")
                };
                format!(
                    "P7\nWIDTH {width}\nHEIGHT {rows}\nDEPTH {depth}\nMAXVAL {sample_max}\n{tuple_type}ENDHDR\n"
                )
            }
            kind @ (b'1' | b'4') => format!("P{}\n{width} {rows}\n", char::from(kind)),
            kind => format!("P{}\n{width} {rows}\n{sample_max}\n", char::from(kind)),
        }
    }
}

fn sample_bytes(sample_max: u32) -> Option<usize> {
    match sample_max {
        1..=255 => Some(1),
        256..=65_535 => Some(2),
        _ => None,
    }
}

/// Numbers between white space and comments. One byte after each number is skipped.
struct Numbers<'a> {
    head: &'a [u8],
    at: usize,
}

impl Iterator for Numbers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut number: Option<u32> = None;
        loop {
            let byte = *self.head.get(self.at)?;
            self.at += 1;
            match byte {
                b'0'..=b'9' => {
                    let digit = u32::from(byte - b'0');
                    number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
                }
                b'#' => {
                    let rest = &self.head[self.at..];
                    self.at += 1 + rest
                        .iter()
                        .position(|&byte| matches!(byte, b'\n' | b'\r'))?;
                    if number.is_some() {
                        return number;
                    }
                }
                _ if byte.is_ascii_whitespace() => {
                    if number.is_some() {
                        return number;
                    }
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_between_the_numbers_of_a_text_are_left_out() {
        for (file, expected) in [
            (&b"P2 2 1 255\n10 # 99\n20\n"[..], [10, 20]),
            (b"P2 2 1 255\n# 1\r10# 2\n20 # 3", [10, 20]),
            (b"P1 2 1\n1 # 1\n0", [0, 255]),
        ] {
            let decoded = decode(file, 10).expect("decoded");
            assert_eq!(decoded.pixels.into_luma8().into_raw(), expected);
        }
    }
}
