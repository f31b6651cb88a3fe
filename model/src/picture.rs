use image::{DynamicImage, metadata::Orientation};

use crate::{
    PictureError,
    crop::{Crop, ScaledSquare, centre_of_stored},
    foreign,
    format::Format,
    formats::Decoded,
};

/// Bytes of a size and a format that are accepted. Nothing has been decoded yet.
#[derive(Clone, Debug)]
pub struct EncodedImage<B> {
    bytes: B,
    format: Format,
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

impl<B: AsRef<[u8]>> EncodedImage<B> {
    /// Accepts `bytes` by their number and by the format that the first of them show.
    ///
    /// # Errors
    /// [`PictureError::Empty`], [`PictureError::TooLarge`], [`PictureError::UnknownFormat`], [`PictureError::ForeignFormat`].
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
        if let Some(raw) = foreign::raw_photo(data) {
            return Err(PictureError::ForeignFormat(raw));
        }
        let Some(format) = Format::parse(data) else {
            let foreign = foreign::recognize(data).map(PictureError::ForeignFormat);
            return Err(foreign.unwrap_or(PictureError::UnknownFormat));
        };
        Ok(Self { bytes, format })
    }

    /// The bytes as they were sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

impl Picture {
    /// What of the whole picture the network sees.
    #[must_use]
    pub fn crop(&self) -> Crop {
        self.crop
    }

    /// What the network sees of a whole image.
    pub(crate) fn of_whole(decoded: Decoded, input_size: u32) -> Self {
        let Decoded {
            pixels,
            orientation,
        } = decoded;
        let (width, height) = (pixels.width(), pixels.height());
        Self {
            pixels,
            square: ScaledSquare::new(centre_of_stored(width, height, orientation, input_size), 1),
            orientation,
            input_size,
            crop: Crop::of_stored(width, height, orientation, input_size),
        }
    }
}
