/// What JPEG puts before an Exif block. Some programs write it into other containers, too.
const JPEG_PREFIX: &[u8] = b"Exif\0\0";
const ORIENTATION: u16 = 0x0112;
/// A 16-bit number, once.
const SHORT: u16 = 3;
const ENTRY_BYTES: usize = 12;

/// The orientation in an Exif block: 1 to 8, as Exif 2.32 counts them (tag 0x0112). None if the block has none or is
/// malformed; then the image is shown as stored.
#[must_use]
pub fn exif_orientation(exif: &[u8]) -> Option<u8> {
    let tiff = exif.strip_prefix(JPEG_PREFIX).unwrap_or(exif);
    let is_big = match tiff.first_chunk()? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let short = |bytes: &[u8]| {
        let &bytes = bytes.first_chunk()?;
        Some(if is_big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let long = |bytes: &[u8]| {
        let &bytes = bytes.first_chunk()?;
        Some(if is_big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let directory = tiff.get(usize::try_from(long(&tiff[4..])?).ok()?..)?;
    let count = usize::from(short(directory)?);
    let mut entries = directory[2..].chunks_exact(ENTRY_BYTES).take(count);
    let entry = entries.find(|entry| {
        short(entry) == Some(ORIENTATION)
            && short(&entry[2..]) == Some(SHORT)
            && long(&entry[4..]) == Some(1)
    })?;
    let value = u8::try_from(short(&entry[8..])?).ok()?;
    (1..=8).contains(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one entry before the orientation.
    fn exif(is_big: bool, value: u16) -> Vec<u8> {
        let short = |value: u16| {
            if is_big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let long = |value: u32| {
            if is_big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let mut block = if is_big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        block.extend(long(8));
        block.extend(short(2));
        for (tag, kind, value) in [(0x0100, 4, 640), (ORIENTATION, SHORT, value)] {
            block.extend(short(tag));
            block.extend(short(kind));
            block.extend(long(1));
            block.extend(short(value));
            block.extend([0, 0]);
        }
        block
    }

    #[test]
    fn reads_the_orientation_in_either_byte_order_and_after_the_prefix_of_jpeg() {
        for is_big in [true, false] {
            for value in 1..=8 {
                let block = exif(is_big, value);
                assert_eq!(exif_orientation(&block).map(u16::from), Some(value));
                let prefixed = [JPEG_PREFIX, &block].concat();
                assert_eq!(exif_orientation(&prefixed).map(u16::from), Some(value));
            }
        }
    }

    #[test]
    fn a_malformed_block_has_no_orientation() {
        let whole = exif(true, 6);
        for end in 0..whole.len() - 2 {
            assert_eq!(exif_orientation(&whole[..end]), None, "{end} bytes");
        }
        for value in [0, 9, 262, u16::MAX] {
            assert_eq!(exif_orientation(&exif(false, value)), None, "{value}");
        }
        let far = b"MM\0*\xff\xff\xff\xff\0\x01".as_slice();
        assert_eq!(exif_orientation(far), None);
        assert_eq!(exif_orientation(b"II\0*\0\0\0\x08"), None);
    }

    #[test]
    fn agrees_with_the_image_crate() {
        for is_big in [true, false] {
            for value in 0..=12 {
                let block = exif(is_big, value);
                for end in [block.len() - 3, block.len()] {
                    let ours = exif_orientation(&block[..end]);
                    let theirs = image::metadata::Orientation::from_exif_chunk(&block[..end]);
                    assert_eq!(
                        ours,
                        theirs.map(image::metadata::Orientation::to_exif),
                        "{value}"
                    );
                }
            }
        }
    }
}
