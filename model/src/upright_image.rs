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
