use std::error::Error;

use image::{
    ImageError, ImageFormat,
    error::{DecodingError, ImageFormatHint},
};

use crate::foreign::ForeignFormat;

/// Why bytes are not accepted as an image. In every case the caller can send another file.
#[derive(Debug, thiserror::Error)]
pub enum InvalidImage {
    /// There are no bytes.
    #[error("the image is empty: send the bytes of an image file")]
    Empty,
    /// The file is too long.
    #[error(
        "the image is {bytes} bytes long, the limit is {bytes_max}: send a smaller or more compressed one"
    )]
    TooLarge {
        /// Length of the file.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The first bytes do not belong to a known format.
    #[error("the image is in no known format: send JPEG, PNG, WebP, GIF, BMP or TIFF")]
    UnknownFormat,
    /// The bytes belong to a format that is known, but not decoded.
    #[error("{0}")]
    ForeignFormat(ForeignFormat),
    /// The image has too many pixels, or none.
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
    /// Too few rows can be decoded: the file is cut off or damaged.
    #[error(
        "the image file is truncated or damaged: only {rows_present} of its {rows} rows can be decoded; send the whole file"
    )]
    Truncated {
        /// Rows that can be decoded.
        rows_present: u32,
        /// Rows of the image.
        rows: u32,
    },
    /// The image is damaged or uses a feature that the decoder lacks.
    #[error("the image cannot be decoded: {}", reason(.0))]
    Undecodable(#[source] ImageError),
    /// As [`Self::Undecodable`], with the reason from the JPEG decoder.
    #[error("the image cannot be decoded: {0}")]
    Jpeg(#[source] imageclassifier_jpeg::Error),
}

/// A reason that the caller can act on. Other reasons are details of a decoder, which only the log shows.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Named(String);

fn reason(error: &ImageError) -> &str {
    const GENERIC: &str =
        "the file is corrupt or uses an unsupported feature; save it again as JPEG or PNG";
    let named = error.source().and_then(<dyn Error>::downcast_ref);
    named.map_or(GENERIC, |Named(reason)| reason)
}

/// The error with a reason that the caller reads.
pub(crate) fn undecodable_because(format: ImageFormat, reason: impl Into<String>) -> InvalidImage {
    undecodable(format, Named(reason.into()))
}

/// Wraps a decoder's error.
pub(crate) fn undecodable(
    format: ImageFormat,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> InvalidImage {
    let format = ImageFormatHint::Exact(format);
    InvalidImage::Undecodable(ImageError::Decoding(DecodingError::new(format, source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reasons_for_the_caller_are_in_the_message() {
        let named = undecodable_because(ImageFormat::Png, "the PNG has no palette");
        assert_eq!(
            named.to_string(),
            "the image cannot be decoded: the PNG has no palette"
        );
        let internal = undecodable(ImageFormat::Png, "invalid code lengths").to_string();
        assert!(internal.contains("corrupt or uses an unsupported feature"));
        assert!(!internal.contains("lengths"), "{internal}");
    }
}
