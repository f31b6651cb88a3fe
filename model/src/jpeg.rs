use image::{DynamicImage, RgbImage, metadata::Orientation};
use imageclassifier_jpeg::{Jpeg, Region, Scale};

use crate::{
    DecodedImage, InvalidImage, View,
    crop::{Crop, part_of_stored},
    dimensions::check_dimensions,
    formats::Decoded,
    truncation::check_rows,
};

/// How many pixels per input pixel, along a side, must remain after scaling down while decoding. With two, the resized
/// result can hardly be told from that of all pixels. (Pillow calls it `reducing_gap`.)
const PIXELS_PER_INPUT_PIXEL_MIN: u32 = 2;

/// Decodes the part of a JPEG that a network sees, scaled down if it is large.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Jpeg`], [`InvalidImage::Truncated`].
pub(crate) fn decode(
    bytes: &[u8],
    pixels_max: u64,
    view: View,
) -> Result<DecodedImage, InvalidImage> {
    let smallest_first = || Scale::ALL.into_iter().rev();
    decode_at(bytes, pixels_max, view, |side| {
        smallest_first()
            .find(|scale| {
                side >= f64::from(view.input_size * PIXELS_PER_INPUT_PIXEL_MIN * scale.divisor())
            })
            .unwrap_or(Scale::Full)
    })
}

/// As [`decode`], but never scaled down.
pub(crate) fn decode_unscaled(
    bytes: &[u8],
    pixels_max: u64,
    view: View,
) -> Result<DecodedImage, InvalidImage> {
    decode_at(bytes, pixels_max, view, |_| Scale::Full)
}

fn decode_at(
    bytes: &[u8],
    pixels_max: u64,
    view: View,
    scale_for: impl FnOnce(f64) -> Scale,
) -> Result<DecodedImage, InvalidImage> {
    let (jpeg, orientation) = parse(bytes, pixels_max)?;
    let (width, height) = jpeg.dimensions();
    let part = part_of_stored(width, height, orientation, view);
    let scale = scale_for(part.seen.width.min(part.seen.height));
    let part = part.divided(scale.divisor());
    let region = part.touched();
    Ok(DecodedImage {
        pixels: pixels(&jpeg, scale, region)?,
        part: part.within_touched(),
        orientation,
        input_size: view.input_size,
        crop: Crop::of_stored(width, height, orientation, view),
    })
}

/// Decodes the whole image, scaled down if it is large: the longer side keeps at least `side_min` pixels.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_all(
    bytes: &[u8],
    pixels_max: u64,
    side_min: u32,
) -> Result<Decoded, InvalidImage> {
    let (jpeg, orientation) = parse(bytes, pixels_max)?;
    let (width, height) = jpeg.dimensions();
    let mut smallest_first = Scale::ALL.into_iter().rev();
    let scale = smallest_first
        .find(|scale| width.max(height) / scale.divisor() >= side_min)
        .unwrap_or(Scale::Full);
    let whole = Region {
        left: 0,
        top: 0,
        width: width.div_ceil(scale.divisor()),
        height: height.div_ceil(scale.divisor()),
    };
    Ok(Decoded {
        pixels: pixels(&jpeg, scale, whole)?,
        orientation,
    })
}

fn parse(bytes: &[u8], pixels_max: u64) -> Result<(Jpeg<'_>, Orientation), InvalidImage> {
    let jpeg = Jpeg::parse(bytes).map_err(InvalidImage::Jpeg)?;
    let (width, height) = jpeg.dimensions();
    check_dimensions(width, height, pixels_max)?;
    let orientation = jpeg
        .exif()
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    Ok((jpeg, orientation))
}

fn pixels(jpeg: &Jpeg<'_>, scale: Scale, region: Region) -> Result<DynamicImage, InvalidImage> {
    let decoded = jpeg.decode(scale, region).map_err(InvalidImage::Jpeg)?;
    let (_, height) = jpeg.dimensions();
    check_rows(decoded.rows_present(), height)?;
    let pixels = RgbImage::from_raw(region.width, region.height, decoded.into_pixels())
        .expect("three bytes for each pixel");
    Ok(DynamicImage::from(pixels))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// 1024 x 788 pixels.
    fn photograph() -> Vec<u8> {
        let photos = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/photos");
        std::fs::read(format!("{photos}/dust-bowl-home.jpg")).unwrap()
    }

    /// The square that is seen has 689 pixels a side: two for each of the input's remain after the division.
    #[test]
    fn scales_down_as_far_as_two_pixels_remain_for_each_of_the_input() {
        let bytes = photograph();
        for (input_size, divisor) in [
            (43, 8),
            (44, 4),
            (86, 4),
            (87, 2),
            (172, 2),
            (173, 1),
            (300, 1),
        ] {
            let view = View {
                input_size,
                framing: crate::Framing::CropThenResize(0.875),
            };
            let seen = decode(&bytes, u64::MAX, view).unwrap().part.seen;
            assert_eq!(seen.width, 689.0 / f64::from(divisor), "{input_size}");
        }
    }

    #[test]
    fn a_whole_image_keeps_as_many_pixels_on_its_longer_side_as_asked() {
        let bytes = photograph();
        for (side_min, expected) in [
            (100, (128, 99)),
            (128, (128, 99)),
            (129, (256, 197)),
            (512, (512, 394)),
            (513, (1024, 788)),
            (2000, (1024, 788)),
        ] {
            let pixels = decode_all(&bytes, u64::MAX, side_min).unwrap().pixels;
            assert_eq!((pixels.width(), pixels.height()), expected, "{side_min}");
        }
    }
}
