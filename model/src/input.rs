use std::borrow::Cow;

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{CroppedImage, Image, ImageRef},
};
use image::{DynamicImage, GenericImageView, Rgb, RgbImage, Rgba, metadata::Orientation};
use imageclassifier_crop::crop_fraction;
use imageclassifier_jpeg::Region;

use crate::{
    DecodedImage,
    crop::{ScaledSquare, swaps_axes},
};

/// How an image becomes an [`Input`]: orientation, transparent pixels over white, centre square, antialiased bicubic
/// resize, `(x - mean) / scale`. The reference implementation's `preprocess_for_eval`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preprocessing {
    /// Changes whenever the same image may become another input.
    pub version: &'static str,
    /// Side of the centre square as a fraction of the shorter side.
    pub crop_fraction: f64,
    /// Name of the resampling filter.
    pub filter: &'static str,
    /// Subtracted from each channel value, 0 to 255.
    pub mean: f32,
    /// Divisor of the difference.
    pub scale: f32,
}

const MEAN: f32 = 127.0;
const SCALE: f32 = 128.0;
const CHANNELS: usize = 3;
/// The background of transparent pixels: white.
const BACKGROUND: u32 = 255;

impl Preprocessing {
    /// The steps for a network with `input_size` x `input_size` inputs.
    #[must_use]
    pub fn of(input_size: u32) -> Self {
        Self {
            version: "3",
            crop_fraction: crop_fraction(input_size),
            filter: "catmull-rom",
            mean: MEAN,
            scale: SCALE,
        }
    }
}

/// What the network sees of one image: `[height, width, channel]`, row-major, RGB, each value from -127/128 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    size: u32,
    values: Vec<f32>,
}

impl Input {
    /// Prepares `image` for a network with inputs of the size that it was decoded for.
    #[must_use]
    pub fn prepare(image: &DecodedImage) -> Self {
        let &DecodedImage {
            ref pixels,
            square,
            orientation,
            input_size: size,
            crop: _,
        } = image;
        // Turning the small square instead of the whole image gives the same pixels.
        let mut seen = DynamicImage::from(resize(pixels, square, orientation, size));
        seen.apply_orientation(orientation);
        Self {
            size,
            values: seen
                .as_bytes()
                .iter()
                .map(|&value| (f32::from(value) - MEAN) / SCALE)
                .collect(),
        }
    }

    /// Takes values that were prepared elsewhere, `[height, width, channel]`, row-major. `None` unless their number is
    /// `size * size * 3`.
    #[must_use]
    pub fn from_values(size: u32, values: Vec<f32>) -> Option<Self> {
        let expected = (size as usize).checked_pow(2)?.checked_mul(CHANNELS)?;
        (values.len() == expected).then_some(Self { size, values })
    }

    /// Side of the square, in pixels.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The values, `[height, width, channel]`, row-major.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Antialiased bicubic resize, one axis after the other with 8-bit values between: first along the rows as displayed, as
/// the reference's Pillow does. Overshoots are clamped between the passes, so the other order would give other pixels.
fn resize(
    stored: &DynamicImage,
    square: ScaledSquare,
    orientation: Orientation,
    size: u32,
) -> RgbImage {
    let (rgb, square) = to_rgb(stored, square);
    let whole = ImageRef::new(rgb.width(), rgb.height(), rgb.as_raw(), PixelType::U8x3)
        .expect("an RgbImage holds three bytes a pixel");
    // A view of the pixels that the square touches: the filter does not reach further.
    let Region {
        left,
        top,
        width,
        height,
    } = square.touched();
    let source = CroppedImage::new(&whole, left, top, width, height)
        .expect("the square lies within the image");
    let square = square.within_touched();
    let bicubic = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let along_rows = |height| bicubic.crop(square.left, 0.0, square.side, f64::from(height));
    let along_columns = |width| bicubic.crop(0.0, square.top, f64::from(width), square.side);
    let (mut once, first, second) = if swaps_axes(orientation) {
        (
            Image::new(width, size, PixelType::U8x3),
            along_columns(width),
            along_rows(size),
        )
    } else {
        (
            Image::new(size, height, PixelType::U8x3),
            along_rows(height),
            along_columns(size),
        )
    };
    let mut twice = Image::new(size, size, PixelType::U8x3);
    let mut resizer = Resizer::new();
    resizer
        .resize(&source, &mut once, &first)
        .expect("same pixel types");
    resizer
        .resize(&once, &mut twice, &second)
        .expect("same pixel types");
    RgbImage::from_raw(size, size, twice.into_vec()).expect("resized to size x size")
}

/// The image in 8-bit RGB, and where the square lies in it. Only what the square touches of images in other formats is
/// converted.
fn to_rgb(stored: &DynamicImage, square: ScaledSquare) -> (Cow<'_, RgbImage>, ScaledSquare) {
    if let DynamicImage::ImageRgb8(rgb) = stored {
        return (Cow::Borrowed(rgb), square);
    }
    let Region {
        left,
        top,
        width,
        height,
    } = square.touched();
    let rgb = if bytes_per_channel(stored) > 1 {
        // A copy of the square would be half as large again as the image.
        RgbImage::from_fn(width, height, |x, y| {
            over_background(stored.get_pixel(left + x, top + y))
        })
    } else {
        flatten(stored.crop_imm(left, top, width, height))
    };
    (Cow::Owned(rgb), square.within_touched())
}

/// The image in 8-bit RGB, transparent pixels over white.
pub(crate) fn flatten(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        over_background(*rgba.get_pixel(x, y))
    })
}

fn bytes_per_channel(image: &DynamicImage) -> u8 {
    let color = image.color();
    color.bytes_per_pixel() / color.channel_count()
}

fn over_background(Rgba([rgb @ .., alpha]): Rgba<u8>) -> Rgb<u8> {
    let blend = |value: u8| {
        let alpha = u32::from(alpha);
        let sum = u32::from(value) * alpha + BACKGROUND * (255 - alpha);
        u8::try_from((sum + 127) / 255).expect("a weighted mean of two bytes is a byte")
    };
    Rgb(rgb.map(blend))
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, LumaA};

    use super::*;

    /// `image` rounds 16 bits to 8 in the same way for single pixels and for whole images.
    #[test]
    fn converts_a_part_of_a_16_bit_image_like_the_whole() {
        let value = |x: u32, y: u32, channel: u32| {
            u16::try_from((x * 7919 + y * 104_729 + channel * 31_337) % 65_536).unwrap()
        };
        let images: [DynamicImage; 4] = [
            ImageBuffer::from_fn(40, 30, |x, y| Luma([value(x, y, 0)])).into(),
            ImageBuffer::from_fn(40, 30, |x, y| LumaA([value(x, y, 0), value(x, y, 1)])).into(),
            ImageBuffer::from_fn(40, 30, |x, y| Rgb([0, 1, 2].map(|c| value(x, y, c)))).into(),
            ImageBuffer::from_fn(40, 30, |x, y| Rgba([0, 1, 2, 3].map(|c| value(x, y, c)))).into(),
        ];
        let square = ScaledSquare {
            left: 7.0,
            top: 3.0,
            side: 20.0,
        };
        for image in images {
            assert_eq!(bytes_per_channel(&image), 2);
            let whole = image.to_rgba8();
            let (seen, _) = to_rgb(&image, square);
            for (x, y, pixel) in seen.enumerate_pixels() {
                assert_eq!(*pixel, over_background(*whole.get_pixel(x + 7, y + 3)));
            }
        }
    }
}
