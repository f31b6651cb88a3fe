use crate::{InvalidImage, foreign, format::Format};

/// Bytes of a size and a format that are accepted. Nothing has been decoded yet.
#[derive(Clone, Debug)]
pub struct EncodedImage<B> {
    bytes: B,
    format: Format,
}

impl<B: AsRef<[u8]>> EncodedImage<B> {
    /// Accepts `bytes` by their number and by the format that the first of them show.
    ///
    /// # Errors
    /// [`InvalidImage::Empty`], [`InvalidImage::TooLarge`], [`InvalidImage::UnknownFormat`], [`InvalidImage::ForeignFormat`].
    pub fn new(bytes: B, bytes_max: u64) -> Result<Self, InvalidImage> {
        let data = bytes.as_ref();
        if data.is_empty() {
            return Err(InvalidImage::Empty);
        }
        if data.len() as u64 > bytes_max {
            return Err(InvalidImage::TooLarge {
                bytes: data.len() as u64,
                bytes_max,
            });
        }
        if let Some(raw) = foreign::raw_photo(data) {
            return Err(InvalidImage::ForeignFormat(raw));
        }
        let Some(format) = Format::parse(data) else {
            let foreign = foreign::identify(data).map(InvalidImage::ForeignFormat);
            return Err(foreign.unwrap_or(InvalidImage::UnknownFormat));
        };
        Ok(Self { bytes, format })
    }

    /// The bytes as they were sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// What the names of files of its format end with.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        self.format.extension()
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }
}
