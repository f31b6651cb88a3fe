use ::tiff::{
    TiffResult,
    tags::{PhotometricInterpretation, Tag},
};

use super::FileDecoder;

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
    // Some writers store 8 bits instead of 16. Others leave the lower half zero, so values are not rounded.
    let is_shallow = map.iter().all(|&value| value < 256);
    let channel = |value: u16| value.to_be_bytes()[usize::from(is_shallow)];
    let colours = map.len() / 3;
    let colours = (0..colours)
        .map(|index| [0, 1, 2].map(|plane| channel(map[plane * colours + index])))
        .collect();
    let patched = decoder.ifd_pointer().and_then(|ifd| with_grey(file, ifd.0));
    Ok(patched.map(|patched| Palette { colours, patched }))
}

/// A copy of the file with another photometric interpretation in its first directory.
fn with_grey(file: &[u8], directory: u64) -> Option<Vec<u8>> {
    const BIG: u8 = 43;
    let tag = Tag::PhotometricInterpretation.to_u16();
    let grey = PhotometricInterpretation::BlackIsZero.to_u16();
    let is_little = file.starts_with(b"I");
    let to_bytes = |value: u16| {
        if is_little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let version = if is_little {
        file.get(2)?
    } else {
        file.get(3)?
    };
    // Bytes of the entry count, bytes of an entry, and offset of the value in an entry.
    let (count_bytes, entry_bytes, value_at) = if *version == BIG {
        (8, 20, 12)
    } else {
        (2, 12, 8)
    };
    let mut entry = usize::try_from(directory).ok()?.checked_add(count_bytes)?;
    let mut patched = file.to_vec();
    loop {
        let name = patched.get_mut(entry..entry.checked_add(entry_bytes)?)?;
        if name.starts_with(&to_bytes(tag)) {
            name[value_at..value_at + 2].copy_from_slice(&to_bytes(grey));
            return Some(patched);
        }
        entry += entry_bytes;
    }
}
