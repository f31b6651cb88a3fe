use crate::{
    DecodedImage, EncodedImage, InvalidImage, View,
    format::Format,
    formats::{Decoded, bmp, gif, ico, png, pnm, qoi, tga, tiff, webp},
    jpeg,
};

impl DecodedImage {
    /// Decodes of `encoded` what a network sees: a [`View`], or the size of a built-in network's input. The dimensions are read from the
    /// header, and more than `pixels_max` pixels are rejected before any of them is allocated. Of all metadata only the
    /// orientation is read.
    ///
    /// Large JPEGs are scaled down while they are decoded. If a file is cut off, the rows that are present are used, down
    /// to an eighth of all rows; the rest is white, or grey in JPEGs.
    ///
    /// # Errors
    /// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`], [`InvalidImage::Jpeg`].
    pub fn decode<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        view: impl Into<View>,
    ) -> Result<Self, InvalidImage> {
        let view = view.into();
        if encoded.format() == Format::Jpeg {
            return jpeg::decode(encoded.bytes(), pixels_max, view);
        }
        Self::decode_whole(encoded, pixels_max, view)
    }

    /// As [`Self::decode`], but decodes every pixel of every format: the reference for measuring the effect of scaling.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_whole<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        view: impl Into<View>,
    ) -> Result<Self, InvalidImage> {
        let view = view.into();
        if encoded.format() == Format::Jpeg {
            return jpeg::decode_unscaled(encoded.bytes(), pixels_max, view);
        }
        let decoded = decode_all(encoded, pixels_max, u32::MAX)?;
        Ok(Self::of_whole(decoded, view))
    }
}

/// Decodes the whole image. The longer side of a JPEG that is scaled down keeps at least `side_min` pixels.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`], [`InvalidImage::Jpeg`].
pub(crate) fn decode_all<B: AsRef<[u8]>>(
    encoded: &EncodedImage<B>,
    pixels_max: u64,
    side_min: u32,
) -> Result<Decoded, InvalidImage> {
    let bytes = encoded.bytes();
    match encoded.format() {
        Format::Jpeg => jpeg::decode_all(bytes, pixels_max, side_min),
        Format::Png => png::decode(bytes, pixels_max),
        Format::WebP => webp::decode(bytes, pixels_max),
        Format::Gif => gif::decode(bytes, pixels_max),
        Format::Bmp => bmp::decode(bytes, pixels_max),
        Format::Dib => bmp::decode_without_file_header(bytes, pixels_max),
        Format::Tiff => tiff::decode(bytes, pixels_max),
        Format::Ico => ico::decode(bytes, pixels_max),
        Format::Qoi => qoi::decode(bytes, pixels_max),
        Format::Pnm => pnm::decode(bytes, pixels_max),
        Format::Tga => tga::decode(bytes, pixels_max),
    }
}
