use image::{DynamicImage, RgbImage, metadata::Orientation};
use imageclassifier_jpeg::{Jpeg, Scale};

use crate::{
    DecodedImage, InvalidImage,
    crop::{Crop, ScaledSquare, centre_of_stored},
    dimensions::check_dimensions,
    truncation::check_rows,
};

/// How many pixels per input pixel, along a side, must remain after scaling down while decoding. With two, the resized
/// result can hardly be told from that of all pixels. (Pillow calls it `reducing_gap`.)
const PIXELS_PER_INPUT_PIXEL_MIN: u32 = 2;

/// Decodes the square of a JPEG that a network with `input_size` x `input_size` inputs sees, scaled down if it is large.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Jpeg`], [`InvalidImage::Truncated`].
pub(crate) fn decode(
    bytes: &[u8],
    pixels_max: u64,
    input_size: u32,
) -> Result<DecodedImage, InvalidImage> {
    let smallest_first = || Scale::ALL.into_iter().rev();
    decode_at(bytes, pixels_max, input_size, |side| {
        smallest_first()
            .find(|scale| side >= input_size * PIXELS_PER_INPUT_PIXEL_MIN * scale.divisor())
            .unwrap_or(Scale::Full)
    })
}

/// As [`decode`], but never scaled down.
pub(crate) fn decode_unscaled(
    bytes: &[u8],
    pixels_max: u64,
    input_size: u32,
) -> Result<DecodedImage, InvalidImage> {
    decode_at(bytes, pixels_max, input_size, |_| Scale::Full)
}

fn decode_at(
    bytes: &[u8],
    pixels_max: u64,
    input_size: u32,
    scale_for: impl FnOnce(u32) -> Scale,
) -> Result<DecodedImage, InvalidImage> {
    let jpeg = Jpeg::parse(bytes).map_err(InvalidImage::Jpeg)?;
    let (width, height) = jpeg.dimensions();
    check_dimensions(width, height, pixels_max)?;
    let orientation = jpeg
        .exif()
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    let square = centre_of_stored(width, height, orientation, input_size);
    let scale = scale_for(square.side);
    let square = ScaledSquare::new(square, scale.divisor());
    let region = square.touched();
    let decoded = jpeg.decode(scale, region).map_err(InvalidImage::Jpeg)?;
    check_rows(decoded.rows_present(), height)?;
    let pixels = RgbImage::from_raw(region.width, region.height, decoded.into_pixels())
        .expect("three bytes for each pixel");
    Ok(DecodedImage {
        pixels: DynamicImage::from(pixels),
        square: square.within_touched(),
        orientation,
        input_size,
        crop: Crop::of_stored(width, height, orientation, input_size),
    })
}
