use image::metadata::Orientation;
use imageclassifier_crop::exif_orientation;

/// The orientation in an Exif block. Malformed metadata does not make an image invalid: it counts as upright.
pub(crate) fn orientation(exif: &[u8]) -> Orientation {
    exif_orientation(exif)
        .and_then(Orientation::from_exif)
        .unwrap_or(Orientation::NoTransforms)
}
