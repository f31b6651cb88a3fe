use image::{DynamicImage, metadata::Orientation};

use crate::{EncodedImage, InvalidImage, decode::decode_all, formats::Decoded, input::flatten};

/// A whole image as people see it, perhaps scaled down: to draw on.
#[derive(Clone, Debug)]
pub struct UprightImage {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl UprightImage {
    /// Decodes all of `encoded`, of any format that a network can classify, with the same rules for orientation, transparent
    /// pixels and truncated files. A side that is longer than `side_max` becomes `side_max` pixels long.
    ///
    /// # Errors
    /// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`], [`InvalidImage::Jpeg`].
    pub fn decode<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        side_max: u32,
    ) -> Result<Self, InvalidImage> {
        let Decoded {
            mut pixels,
            orientation,
        } = decode_all(encoded, pixels_max, side_max)?;
        if pixels.width().max(pixels.height()) > side_max {
            pixels = pixels.thumbnail(side_max, side_max);
        }
        Ok(Self::new(pixels, orientation))
    }

    fn new(mut pixels: DynamicImage, orientation: Orientation) -> Self {
        pixels.apply_orientation(orientation);
        let rgb = flatten(pixels);
        Self {
            width: rgb.width(),
            height: rgb.height(),
            rgb: rgb.into_raw(),
        }
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, `[height, width, channel]`, row-major, 8-bit RGB.
    #[must_use]
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    const RED: [u8; 3] = [255, 0, 0];
    const WHITE: [u8; 3] = [255; 3];

    fn decode(width: u32, height: u32, side_max: u32) -> UprightImage {
        let image = RgbaImage::from_pixel(width, height, Rgba([255, 0, 0, 255]));
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        let encoded = EncodedImage::new(png.into_inner(), u64::MAX).unwrap();
        UprightImage::decode(&encoded, u64::MAX, side_max).unwrap()
    }

    #[test]
    fn only_larger_images_are_scaled_down() {
        for (width, height, expected) in [
            (40, 20, (10, 5)),
            (20, 40, (5, 10)),
            (10, 7, (10, 7)),
            (4, 2, (4, 2)),
        ] {
            let image = decode(width, height, 10);
            assert_eq!((image.width(), image.height()), expected);
            let (width, height) = expected;
            assert_eq!(image.into_rgb(), RED.repeat((width * height) as usize));
        }
    }

    #[test]
    fn an_image_is_turned_and_put_on_white() {
        let mut pixels = RgbaImage::from_pixel(2, 1, Rgba([0; 4]));
        pixels.put_pixel(1, 0, Rgba([255, 0, 0, 255]));
        let image = UprightImage::new(pixels.into(), Orientation::Rotate90);
        assert_eq!((image.width(), image.height()), (1, 2));
        assert_eq!(image.into_rgb(), [WHITE, RED].concat());
    }
}
