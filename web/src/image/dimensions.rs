//! Width and height of an encoded image, read from its first bytes, so that the browser decodes only large ones. More lenient
//! than the imagesize crate with padded and parameterless JPEG markers.

/// In a JPEG the dimensions come after the metadata, which may be long.
pub(crate) const HEAD_BYTES: i32 = 256 << 10;

/// Width and height as stored, before any Exif orientation. None if the format is another or the metadata is longer.
pub(crate) fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    match head {
        [0xff, 0xd8, rest @ ..] => jpeg(rest),
        [0x89, b'P', b'N', b'G', ..] => Some((big(head, 16)?, big(head, 20)?)),
        [b'G', b'I', b'F', b'8', ..] => Some((little(head, 6, 2)?, little(head, 8, 2)?)),
        [b'B', b'M', ..] => Some((
            little(head, 18, 4)?,
            little(head, 22, 4)?.cast_signed().unsigned_abs(),
        )),
        [b'R', b'I', b'F', b'F', ..] => webp(head),
        _ => None,
    }
}

/// Goes from marker to marker up to the frame header.
fn jpeg(mut rest: &[u8]) -> Option<(u32, u32)> {
    loop {
        let [0xff, marker, after @ ..] = rest else {
            return None;
        };
        match marker {
            0xff => rest = &rest[1..], // a marker may be padded
            0x01 | 0xd0..=0xd7 => rest = after,
            // SOF0 to SOF15, but for three that are no frame headers.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let number =
                    |at| Some(u32::from(*after.get(at)?) << 8 | u32::from(*after.get(at + 1)?));
                return Some((number(5)?, number(3)?));
            }
            _ => {
                let length = usize::from(*after.first()?) << 8 | usize::from(*after.get(1)?);
                rest = after.get(length..)?;
            }
        }
    }
}

fn webp(head: &[u8]) -> Option<(u32, u32)> {
    const FOURTEEN_BITS: u32 = 0x3fff;
    match head.get(12..16)? {
        b"VP8 " => Some((
            little(head, 26, 2)? & FOURTEEN_BITS,
            little(head, 28, 2)? & FOURTEEN_BITS,
        )),
        b"VP8L" => {
            let bits = little(head, 21, 4)?;
            Some(((bits & FOURTEEN_BITS) + 1, (bits >> 14 & FOURTEEN_BITS) + 1))
        }
        b"VP8X" => Some((little(head, 24, 3)? + 1, little(head, 27, 3)? + 1)),
        _ => None,
    }
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

fn little(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let number = bytes.get(at..at + count)?;
    let shifted = number.iter().rev();
    Some(shifted.fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Images from the decoder's tests, with the size that Pillow reads.
    const IMAGES: [(&str, (u32, u32)); 6] = [
        ("../model/tests/golden/photos/rocket.jpg", (640, 427)),
        ("../model/tests/golden/photos/coffee.png", (600, 400)),
        ("../fuzz/seeds/image/lossy.webp", (40, 30)),
        ("../fuzz/seeds/image/lossless.webp", (40, 30)),
        ("../fuzz/seeds/image/moving.gif", (40, 30)),
        ("../fuzz/seeds/image/rgb.bmp", (40, 30)),
    ];

    #[test]
    fn each_format_tells_its_dimensions() {
        for (file, expected) in IMAGES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let bytes = fs::read(path).unwrap();
            assert_eq!(dimensions(&bytes), Some(expected), "{file}");
        }
    }

    #[test]
    fn truncated_or_other_bytes_have_no_dimensions() {
        for (file, _) in IMAGES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let bytes = fs::read(path).unwrap();
            assert_eq!(dimensions(&bytes[..8]), None, "{file}");
            for end in 0..bytes.len().min(1000) {
                let _ = dimensions(&bytes[..end]);
            }
        }
        for text in [
            &b""[..],
            b"\xff\xd8",
            b"\xff\xd8\xff\xe0\0\0",
            b"RIFFxxxxWEBPVP9 ",
            b"notes",
        ] {
            assert_eq!(dimensions(text), None, "{text:?}");
        }
    }
}
