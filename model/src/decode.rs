use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, metadata::Orientation};

use crate::{
    EncodedImage, Picture, PictureError,
    dimensions::check_dimensions,
    format::Format,
    formats::{Decoded, bmp, gif, ico, png, pnm, qoi, tga, tiff, webp},
    jpeg,
};

/// Most memory that the fallback for JPEG may ask for, per pixel of the largest image allowed.
const DECODED_BYTES_PER_PIXEL_MAX: u64 = 8;

impl Picture {
    /// Decodes of `encoded` what a network with `input_size` x `input_size` inputs sees. The dimensions are read from the
    /// header, and more than `pixels_max` pixels are rejected before any of them is allocated. Of all metadata only the
    /// orientation is read.
    ///
    /// Large JPEGs are scaled down while they are decoded. Of a file that is cut off the rows that are there are used, down to
    /// an eighth of them; the rest is white.
    ///
    /// # Errors
    /// [`PictureError::Dimensions`], [`PictureError::Truncated`], [`PictureError::Undecodable`].
    pub fn decode<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        input_size: u32,
    ) -> Result<Self, PictureError> {
        if encoded.format() == Format::Jpeg
            && let Some(picture) = jpeg::decode(encoded.bytes(), pixels_max, input_size)
        {
            return picture;
        }
        Self::decode_whole(encoded, pixels_max, input_size)
    }

    /// As [`Self::decode`], but every pixel of every format: what scaling is measured against.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_whole<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        input_size: u32,
    ) -> Result<Self, PictureError> {
        let bytes = encoded.bytes();
        let decoded = match encoded.format() {
            Format::Jpeg => decode_jpeg(bytes, pixels_max),
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
        }?;
        Ok(Self::of_whole(decoded, input_size))
    }
}

/// The fallback for JPEGs that the own decoder does not decode.
fn decode_jpeg(bytes: &[u8], pixels_max: u64) -> Result<Decoded, PictureError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(pixels_max.saturating_mul(DECODED_BYTES_PER_PIXEL_MAX));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(PictureError::Undecodable)?;
    let (width, height) = decoder.dimensions();
    check_dimensions(width, height, pixels_max)?;
    // Damaged metadata is no reason to reject an image: it is taken as stored.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let pixels = DynamicImage::from_decoder(decoder).map_err(PictureError::Undecodable)?;
    Ok(Decoded {
        pixels,
        orientation,
    })
}
