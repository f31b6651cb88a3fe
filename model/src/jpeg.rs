use image::{DynamicImage, RgbImage, metadata::Orientation};
use imageclassifier_jpeg::{Jpeg, Scale};

use crate::{
    Picture, PictureError,
    crop::{Crop, ScaledSquare, centre_of_stored},
    picture::check_dimensions,
};

/// How many pixels the resize to the input still has to have for each of the input's, along a side, after scaling down
/// while decoding: with two, the result is hardly to be told from that of all pixels. (Pillow calls it `reducing_gap`.)
const PIXELS_PER_INPUT_PIXEL_MIN: u32 = 2;

/// Decodes of a JPEG the square that a network with `input_size` x `input_size` inputs sees, scaled down if it is large.
/// Nothing if another decoder has to be asked: for progressive ones, for damaged ones.
pub(crate) fn decode(
    bytes: &[u8],
    pixels_max: u64,
    input_size: u32,
) -> Option<Result<Picture, PictureError>> {
    let jpeg = Jpeg::parse(bytes).ok()?;
    let (width, height) = jpeg.dimensions();
    if let Err(error) = check_dimensions(width, height, pixels_max) {
        return Some(Err(error));
    }
    let orientation = jpeg
        .exif()
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    let square = centre_of_stored(width, height, orientation, input_size);
    let mut smallest_first = Scale::ALL.into_iter().rev();
    let scale = smallest_first
        .find(|scale| square.side >= input_size * PIXELS_PER_INPUT_PIXEL_MIN * scale.divisor())
        .unwrap_or(Scale::Full);
    let square = ScaledSquare::new(square, scale.divisor());
    let region = square.touched();
    let pixels = jpeg.decode(scale, region).ok()?.into_pixels();
    let pixels = RgbImage::from_raw(region.width, region.height, pixels)
        .expect("three bytes for each pixel");
    Some(Ok(Picture {
        pixels: DynamicImage::from(pixels),
        square: square.within_touched(),
        orientation,
        input_size,
        crop: Crop::of_stored(width, height, orientation, input_size),
    }))
}
