use image::metadata::Orientation;

/// What JPEG puts before its Exif data. Other formats should not, but some programs copy it along.
const JPEG_PREFIX: &[u8] = b"Exif\0\0";

/// The orientation in a chunk of Exif data. Damaged metadata is no reason to reject an image: it is taken as stored.
pub(crate) fn orientation(chunk: &[u8]) -> Orientation {
    let tiff = chunk.strip_prefix(JPEG_PREFIX).unwrap_or(chunk);
    Orientation::from_exif_chunk(tiff).unwrap_or(Orientation::NoTransforms)
}
