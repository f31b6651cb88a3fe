use image::{DynamicImage, ImageBuffer, metadata::Orientation};

/// A whole image with 8 bits per channel.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// As stored.
    pub(crate) pixels: DynamicImage,
    /// The orientation to display it in.
    pub(crate) orientation: Orientation,
}

impl Decoded {
    /// An image that is displayed as it is stored.
    pub(crate) fn upright(pixels: DynamicImage) -> Self {
        Self {
            pixels,
            orientation: Orientation::NoTransforms,
        }
    }
}

/// Grey, grey with alpha, RGB or RGBA: the number of bytes per pixel, and the type of image that they form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    Grey = 1,
    GreyAlpha = 2,
    Rgb = 3,
    Rgba = 4,
}

impl Channels {
    /// The number of channels.
    pub(crate) fn count(self) -> usize {
        self as usize
    }

    /// The image of `width` x `height` pixels whose rows are in `bytes`.
    ///
    /// # Panics
    /// If `bytes` has another length.
    pub(crate) fn image(self, width: u32, height: u32, bytes: Vec<u8>) -> DynamicImage {
        const FITS: &str = "a byte for each channel";
        match self {
            Self::Grey => {
                DynamicImage::ImageLuma8(ImageBuffer::from_raw(width, height, bytes).expect(FITS))
            }
            Self::GreyAlpha => {
                DynamicImage::ImageLumaA8(ImageBuffer::from_raw(width, height, bytes).expect(FITS))
            }
            Self::Rgb => {
                DynamicImage::ImageRgb8(ImageBuffer::from_raw(width, height, bytes).expect(FITS))
            }
            Self::Rgba => {
                DynamicImage::ImageRgba8(ImageBuffer::from_raw(width, height, bytes).expect(FITS))
            }
        }
    }
}

/// Converts 16 bits to 8, rounded as `image` does.
pub(crate) fn to_8_bits(value: u16) -> u8 {
    u8::try_from((u32::from(value) + 128) / 257).expect("at most 255")
}

/// Makes an image opaque if all its pixels are transparent: its writer did not mean that byte as alpha.
pub(crate) fn show_if_all_is_transparent(rgba: &mut [u8]) {
    let (pixels, _) = rgba.as_chunks_mut::<4>();
    if pixels.iter().all(|&[.., alpha]| alpha == 0) {
        pixels.iter_mut().for_each(|[.., alpha]| *alpha = u8::MAX);
    }
}

/// The number of bytes of `width` x `height` pixels with `channels` each. The dimensions have been checked, so it fits.
pub(crate) fn byte_count(width: u32, height: u32, channels: Channels) -> usize {
    width as usize * height as usize * channels.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_as_image_does() {
        for value in 0..=u16::MAX {
            let pixel = ImageBuffer::from_pixel(1, 1, image::Luma([value]));
            let expected = DynamicImage::ImageLuma16(pixel).into_luma8();
            assert_eq!([to_8_bits(value)], expected.get_pixel(0, 0).0);
        }
    }
}
