use std::{array, borrow::Cow};

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedCroppedImage, TypedImage, TypedImageRef},
    pixels::U8x3,
};
use image::{DynamicImage, GenericImageView, Rgb, RgbImage, Rgba, metadata::Orientation};
use imageclassifier_jpeg::Region;

use crate::{
    ChannelOrder, DecodedImage, Preprocessing,
    crop::{ScaledPart, swaps_axes},
};

/// The background of transparent pixels: white.
const BACKGROUND: u32 = 255;
const CHANNELS: usize = 3;

/// What the network sees of one image: `[height, width, channel]`, row-major, RGB or BGR, each value from -127/128 to 1 for
/// the built-in networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    size: u32,
    values: Vec<f32>,
}

impl Input {
    /// Prepares `image` for a built-in network with inputs of the size that it was decoded for.
    #[must_use]
    pub fn prepare(image: &DecodedImage) -> Self {
        Self::prepare_for(image, &Preprocessing::of(image.input_size))
    }

    /// Prepares `image`, which was decoded for the same view: `[size, size, 3]`, each channel `(value - mean) / scale` of a value
    /// of 0 to 255.
    #[must_use]
    pub fn prepare_for(image: &DecodedImage, preprocessing: &Preprocessing) -> Self {
        let &DecodedImage {
            ref pixels,
            part,
            orientation,
            input_size: size,
            crop: _,
        } = image;
        // Turning the small square instead of the whole image gives the same pixels.
        let filter = preprocessing.filter.resampling();
        let mut seen = DynamicImage::from(resize(pixels, part, orientation, size, filter));
        seen.apply_orientation(orientation);
        let mut bytes = seen.into_bytes();
        if preprocessing.order == ChannelOrder::Bgr {
            let (pixels, _) = bytes.as_chunks_mut::<CHANNELS>();
            pixels.iter_mut().for_each(|pixel| pixel.reverse());
        }
        let values = normalise(&bytes, preprocessing);
        Self { size, values }
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

/// `(value - mean) / scale` of each channel.
fn normalise(values: &[u8], preprocessing: &Preprocessing) -> Vec<f32> {
    /// Whole pixels, and whole vectors of any instruction set.
    const AT_ONCE: usize = 16 * CHANNELS;
    let repeated =
        |values: [f32; CHANNELS]| -> [f32; AT_ONCE] { array::from_fn(|at| values[at % CHANNELS]) };
    let (mean, scale) = (repeated(preprocessing.mean), repeated(preprocessing.scale));
    let (parts, rest) = values.as_chunks::<AT_ONCE>();
    let mut normalised = Vec::with_capacity(values.len());
    let mut normalised_part = [0.0; AT_ONCE];
    for part in parts {
        // Plain indices: closures are calls unless everything is optimised.
        for at in 0..AT_ONCE {
            normalised_part[at] = (f32::from(part[at]) - mean[at]) / scale[at];
        }
        normalised.extend_from_slice(&normalised_part);
    }
    for (at, &value) in rest.iter().enumerate() {
        normalised.push((f32::from(value) - mean[at]) / scale[at]);
    }
    normalised
}

/// Antialiased resize, one axis after the other with 8-bit values between: first along the rows as displayed, as
/// the reference's Pillow does. Overshoots are clamped between the passes, so the other order would give other pixels.
fn resize(
    stored: &DynamicImage,
    part: ScaledPart,
    orientation: Orientation,
    size: u32,
    filter: FilterType,
) -> RgbImage {
    let (rgb, part) = to_rgb(stored, part);
    // The filter reaches no further than the pixels that it may read.
    let touched = part.touched();
    let (width, height) = (touched.width, touched.height);
    let seen = part.within_touched().seen.within(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    let along_rows = |height| options.crop(seen.left, 0.0, seen.width, f64::from(height));
    let along_columns = |width| options.crop(0.0, seen.top, f64::from(width), seen.height);
    let ((once_width, once_height), first, second) = if swaps_axes(orientation) {
        ((width, size), along_columns(width), along_rows(size))
    } else {
        ((size, height), along_rows(height), along_columns(size))
    };
    let mut resizer = Resizer::new();
    let once = resample(&mut resizer, &rgb, touched, &first, once_width, once_height);
    let whole = Region {
        left: 0,
        top: 0,
        width: once_width,
        height: once_height,
    };
    resample(&mut resizer, &once, whole, &second, size, size)
}

/// Resizes the crop of `options` in the region to `width` x `height` pixels. Typed: [`Resizer::resize`] would compile its loops
/// for every type of pixel: 4 MB of the server.
fn resample(
    resizer: &mut Resizer,
    image: &RgbImage,
    region: Region,
    options: &ResizeOptions,
    width: u32,
    height: u32,
) -> RgbImage {
    const THREE_BYTES: &str = "an RgbImage holds three bytes a pixel";
    let whole = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image.as_raw());
    let whole = whole.expect(THREE_BYTES);
    let Region {
        left,
        top,
        width: seen_width,
        height: seen_height,
    } = region;
    let seen = TypedCroppedImage::from_ref(&whole, left, top, seen_width, seen_height);
    let mut resized = RgbImage::new(width, height);
    let target = TypedImage::from_buffer(width, height, &mut resized);
    resizer
        .resize_typed(
            &seen.expect("the region lies within the image"),
            &mut target.expect(THREE_BYTES),
            options,
        )
        .expect("the crop lies within the region");
    resized
}

/// The image in 8-bit RGB, and where the part lies in it. Only what the filter may read of images in other formats is
/// converted.
fn to_rgb(stored: &DynamicImage, part: ScaledPart) -> (Cow<'_, RgbImage>, ScaledPart) {
    if let DynamicImage::ImageRgb8(rgb) = stored {
        return (Cow::Borrowed(rgb), part);
    }
    let Region {
        left,
        top,
        width,
        height,
    } = part.touched();
    let rgb = if bytes_per_channel(stored) > 1 {
        // A copy of the part would be half as large again as the image.
        RgbImage::from_fn(width, height, |x, y| {
            over_background(stored.get_pixel(left + x, top + y))
        })
    } else {
        flatten(stored.crop_imm(left, top, width, height))
    };
    (Cow::Owned(rgb), part.within_touched())
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
    use crate::crop::Rectangle;

    /// Without clamping, the part would be rounded to more than 900 pixels.
    #[test]
    fn a_resized_image_that_is_seen_up_to_its_edges_stays_flat() {
        let preprocessing = Preprocessing {
            framing: crate::Framing::ResizeThenCrop(1.0),
            mean: [0.0; 3],
            scale: [1.0; 3],
            ..Preprocessing::of(224)
        };
        for exif in 1..=8 {
            let image = crate::formats::Decoded {
                pixels: RgbImage::from_pixel(1200, 900, Rgb([10, 20, 30])).into(),
                orientation: Orientation::from_exif(exif).unwrap(),
            };
            let decoded = DecodedImage::of_whole(image, preprocessing.view());
            let input = Input::prepare_for(&decoded, &preprocessing);
            let (pixels, _) = input.values().as_chunks::<3>();
            assert!(pixels.iter().all(|pixel| *pixel == [10.0, 20.0, 30.0]));
        }
    }

    #[test]
    fn normalises_the_pixels_after_the_last_vector_like_the_others() {
        let preprocessing = Preprocessing {
            mean: [1.0, 2.0, 3.0],
            scale: [10.0, 20.0, 30.0],
            ..Preprocessing::of(224)
        };
        // 33 pixels: two vectors, and one pixel.
        let values: Vec<u8> = (100..199).collect();
        let normalised = normalise(&values, &preprocessing);
        for (at, (&value, found)) in values.iter().zip(&normalised).enumerate() {
            let [mean, scale] = [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]].map(|it| it[at % 3]);
            assert_eq!(*found, (f32::from(value) - mean) / scale, "{at}");
        }
        assert_eq!(normalised.len(), values.len());
    }

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
        let part = ScaledPart::cut_out(Rectangle {
            left: 7.0,
            top: 3.0,
            width: 20.0,
            height: 20.0,
        });
        for image in images {
            assert_eq!(bytes_per_channel(&image), 2);
            let whole = image.to_rgba8();
            let (seen, _) = to_rgb(&image, part);
            for (x, y, pixel) in seen.enumerate_pixels() {
                assert_eq!(*pixel, over_background(*whole.get_pixel(x + 7, y + 3)));
            }
        }
    }
}
