use image::metadata::Orientation;

/// The prefix of Exif data in JPEG. Other formats should not have it, but some programs copy it along.
const JPEG_PREFIX: &[u8] = b"Exif\0\0";

/// The orientation in a chunk of Exif data. Damaged metadata does not make an image invalid: it counts as upright.
pub(crate) fn orientation(chunk: &[u8]) -> Orientation {
    let tiff = chunk.strip_prefix(JPEG_PREFIX).unwrap_or(chunk);
    Orientation::from_exif_chunk(tiff).unwrap_or(Orientation::NoTransforms)
}
