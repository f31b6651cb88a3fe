use ::tiff::{
    TiffResult,
    tags::{PhotometricInterpretation, Tag},
};

use super::{FileDecoder, directory::entries};

/// The colours of an image with a palette, and a copy of its file that declares them to be shades of grey.
pub(super) struct Palette {
    pub(super) colours: Vec<[u8; 3]>,
    pub(super) patched: Vec<u8>,
}

/// `None` if the image has no palette.
///
/// # Errors
/// If the image's palette is damaged.
pub(super) fn find(decoder: &mut FileDecoder<'_>, file: &[u8]) -> TiffResult<Option<Palette>> {
    let kind: Option<u16> = decoder.find_tag_unsigned(Tag::PhotometricInterpretation)?;
    if kind != Some(PhotometricInterpretation::RGBPalette.to_u16()) {
        return Ok(None);
    }
    let map: Vec<u16> = decoder
        .find_tag_unsigned_vec(Tag::ColorMap)?
        .unwrap_or_default();
    let colours = colours(&map);
    Ok(with_grey(file).map(|patched| Palette { colours, patched }))
}

/// The colours of a map, in which all values of red come first, then those of green.
fn colours(map: &[u16]) -> Vec<[u8; 3]> {
    // Some writers store 8 bits instead of 16. Others leave the lower half zero, so values are not rounded.
    let is_shallow = map.iter().all(|&value| value < 256);
    let channel = |value: u16| value.to_be_bytes()[usize::from(is_shallow)];
    let colours = map.len() / 3;
    (0..colours)
        .map(|index| [0, 1, 2].map(|plane| channel(map[plane * colours + index])))
        .collect()
}

/// A copy of the file with another photometric interpretation in its first directory.
fn with_grey(file: &[u8]) -> Option<Vec<u8>> {
    let tag = Tag::PhotometricInterpretation.to_u16();
    let grey = PhotometricInterpretation::BlackIsZero.to_u16();
    let grey = if file.starts_with(b"I") {
        grey.to_le_bytes()
    } else {
        grey.to_be_bytes()
    };
    let entry = entries(file)?.find(|entry| entry.tag == tag)?;
    let mut patched = file.to_vec();
    let value = patched.get_mut(entry.value_at..entry.value_at.checked_add(grey.len())?)?;
    value.copy_from_slice(&grey);
    Some(patched)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_8_bits_has_no_larger_value() {
        assert_eq!(colours(&[255, 1, 0, 2, 3, 4]), [[255, 0, 3], [1, 2, 4]]);
        // The darkest shades of 16 bits.
        assert_eq!(colours(&[256, 0, 0, 256, 255, 0]), [[1, 0, 0], [0, 1, 0]]);
    }
}
