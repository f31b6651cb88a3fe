use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    error::{DecodingError, ImageFormatHint},
    metadata::Orientation,
};

use crate::{
    crop::{Crop, ScaledSquare, centre_of_stored},
    jpeg, webp,
};

/// The formats that are decoded, recognised by their first bytes; all by decoders in safe Rust.
const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// Media types of the formats that are decoded. Of an animation only the first frame counts.
pub const MEDIA_TYPES: [&str; 5] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
];

/// Most memory a decoder may ask for, per pixel of the largest picture allowed: 16-bit RGBA.
const DECODED_BYTES_PER_PIXEL_MAX: u64 = 8;

/// Bytes of a size and a format that are accepted. Nothing has been decoded yet.
#[derive(Clone, Debug)]
pub struct EncodedImage<B> {
    bytes: B,
    format: ImageFormat,
}

/// The decoded part of a picture that a network with inputs of a certain size sees, perhaps with something around it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// As stored.
    pub(crate) pixels: DynamicImage,
    /// The part that the network sees, in `pixels`.
    pub(crate) square: ScaledSquare,
    /// How people see it.
    pub(crate) orientation: Orientation,
    pub(crate) input_size: u32,
    pub(crate) crop: Crop,
}

/// Why bytes are no picture that we take. Every case is the sender's to mend.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There are no bytes.
    #[error("the image is empty: send the bytes of a picture file")]
    Empty,
    /// There are too many bytes.
    #[error(
        "the image is {bytes} bytes long, the limit is {bytes_max}: send a smaller or more compressed one"
    )]
    TooLarge {
        /// Length of what was sent.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The first bytes belong to no format that is decoded.
    #[error("the image is in no known format: send JPEG, PNG, WebP, GIF or BMP")]
    UnknownFormat,
    /// The picture has too many pixels, or none.
    #[error(
        "the image is {width} x {height} pixels; it must have at least one and at most {pixels_max}: send a smaller one"
    )]
    Dimensions {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit on their product.
        pixels_max: u64,
    },
    /// The picture is damaged or uses a feature that the decoder lacks.
    #[error(
        "the image cannot be decoded: it is damaged or of an unusual kind, save it anew as JPEG or PNG"
    )]
    Undecodable(#[source] ImageError),
    /// As [`Self::Undecodable`], and the decoder of JPEGs says why.
    #[error("the image cannot be decoded: {0}")]
    Jpeg(#[source] imageclassifier_jpeg::Error),
    /// Too few of the image's rows can be decoded.
    #[error(
        "the image file is truncated or damaged: only {rows_present} of its {rows} rows can be decoded; send the whole file"
    )]
    Truncated {
        /// Rows that the file holds, from the top.
        rows_present: u32,
        /// Rows that it should hold.
        rows: u32,
    },
}

impl<B: AsRef<[u8]>> EncodedImage<B> {
    /// Accepts `bytes` by their number and by the format that the first of them show.
    ///
    /// # Errors
    /// [`PictureError::Empty`], [`PictureError::TooLarge`], [`PictureError::UnknownFormat`].
    pub fn new(bytes: B, bytes_max: u64) -> Result<Self, PictureError> {
        let data = bytes.as_ref();
        if data.is_empty() {
            return Err(PictureError::Empty);
        }
        if data.len() as u64 > bytes_max {
            return Err(PictureError::TooLarge {
                bytes: data.len() as u64,
                bytes_max,
            });
        }
        let format = image::guess_format(data)
            .ok()
            .filter(|format| FORMATS.contains(format))
            .ok_or(PictureError::UnknownFormat)?;
        Ok(Self { bytes, format })
    }

    /// The bytes as they were sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

impl Picture {
    /// What of the whole picture the network sees.
    #[must_use]
    pub fn crop(&self) -> Crop {
        self.crop
    }

    /// Decodes of `encoded` what a network with `input_size` x `input_size` inputs sees, having read the dimensions from the
    /// header and refused more than `pixels_max` pixels before any of them is allocated. Of all metadata only the
    /// orientation is read.
    ///
    /// Large JPEGs are scaled down while they are decoded.
    ///
    /// # Errors
    /// [`PictureError::Dimensions`], [`PictureError::Undecodable`], [`PictureError::Jpeg`], [`PictureError::Truncated`].
    pub fn decode<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        input_size: u32,
    ) -> Result<Self, PictureError> {
        if encoded.format == ImageFormat::Jpeg {
            return jpeg::decode(encoded.bytes(), pixels_max, input_size);
        }
        Self::decode_whole(encoded, pixels_max, input_size)
    }

    /// As [`Self::decode`], but every pixel of every format: what scaling is measured against.
    ///
    /// # Errors
    /// [`PictureError::Dimensions`], [`PictureError::Undecodable`].
    pub fn decode_whole<B: AsRef<[u8]>>(
        encoded: &EncodedImage<B>,
        pixels_max: u64,
        input_size: u32,
    ) -> Result<Self, PictureError> {
        if encoded.format == ImageFormat::Jpeg {
            return jpeg::decode_unscaled(encoded.bytes(), pixels_max, input_size);
        }
        let mut reader = ImageReader::with_format(Cursor::new(encoded.bytes()), encoded.format);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(pixels_max.saturating_mul(DECODED_BYTES_PER_PIXEL_MAX));
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(PictureError::Undecodable)?;
        let (width, height) = decoder.dimensions();
        check_dimensions(width, height, pixels_max)?;
        // Damaged metadata is no reason to refuse a picture: it is taken as stored.
        let orientation = if encoded.format == ImageFormat::WebP {
            for (width, height) in webp::lossy_frames(encoded.bytes()) {
                check_dimensions(width, height, pixels_max)?;
            }
            if webp::contradicts_itself(encoded.bytes()) {
                return Err(PictureError::Undecodable(frame_of_two_sizes()));
            }
            webp::exif(encoded.bytes()).and_then(Orientation::from_exif_chunk)
        } else {
            decoder.orientation().ok()
        };
        let orientation = orientation.unwrap_or(Orientation::NoTransforms);
        let pixels = DynamicImage::from_decoder(decoder).map_err(PictureError::Undecodable)?;
        Ok(Self {
            pixels,
            square: ScaledSquare::new(centre_of_stored(width, height, orientation, input_size), 1),
            orientation,
            input_size,
            crop: Crop::of_stored(width, height, orientation, input_size),
        })
    }
}

fn frame_of_two_sizes() -> ImageError {
    let format = ImageFormatHint::Exact(ImageFormat::WebP);
    ImageError::Decoding(DecodingError::new(format, "a frame is of two sizes"))
}

pub(crate) fn check_dimensions(
    width: u32,
    height: u32,
    pixels_max: u64,
) -> Result<(), PictureError> {
    if (1..=pixels_max).contains(&(u64::from(width) * u64::from(height))) {
        return Ok(());
    }
    Err(PictureError::Dimensions {
        width,
        height,
        pixels_max,
    })
}

/// Whether rows as stored are columns as seen.
pub(crate) fn swaps_axes(orientation: Orientation) -> bool {
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => true,
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => false,
    }
}
