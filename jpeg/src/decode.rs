//! The way from bytes to pixels.

use crate::channel::Tables;
use crate::error::Error;
use crate::header::Header;
use crate::region::{Region, Rgb, Scale};
use crate::scan::Scan;

/// A JPEG whose header has been read and is of a kind that this decoder knows.
#[derive(Clone, Debug)]
pub struct Jpeg<'a> {
    header: Header<'a>,
}

impl<'a> Jpeg<'a> {
    /// Reads the header. No pixel has been looked at yet, and nothing but the header's tables allocated.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Damaged`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Header::parse(bytes).map(|header| Self { header })
    }

    /// Width and height of the picture as stored, in pixels; both are at least 1.
    #[must_use]
    pub fn dimensions(&self) -> (u32, u32) {
        self.dimensions_at(Scale::Full)
    }

    /// The Exif metadata, if there is any: a TIFF structure, not looked at.
    #[must_use]
    pub fn exif(&self) -> Option<&'a [u8]> {
        self.header.exif
    }

    /// Width and height of the scaled picture, in pixels: those of the picture over `scale`'s divisor, rounded up.
    #[must_use]
    pub fn dimensions_at(&self, scale: Scale) -> (u32, u32) {
        let divisor = scale.divisor();
        (
            self.header.width.div_ceil(divisor),
            self.header.height.div_ceil(divisor),
        )
    }

    /// Decodes the pixels of `region`, which is in pixels of the scaled picture. Memory: the answer, and a few lines.
    ///
    /// Rows below the region are not read, so damage there goes unnoticed.
    ///
    /// # Errors
    /// [`Error::OutsidePicture`], [`Error::Unsupported`], [`Error::Damaged`].
    pub fn decode(&self, scale: Scale, region: Region) -> Result<Rgb, Error> {
        let (width, height) = self.dimensions_at(scale);
        let fits = |start: u32, length, end| {
            length > 0
                && start
                    .checked_add(length)
                    .is_some_and(|behind| behind <= end)
        };
        if !fits(region.left, region.width, width) || !fits(region.top, region.height, height) {
            return Err(Error::OutsidePicture { width, height });
        }
        let tables = Tables::new(&self.header);
        let mut scan = Scan::new(&self.header, &tables, scale, region)?;
        scan.run()?;
        Ok(Rgb {
            width: region.width,
            height: region.height,
            pixels: scan.into_pixels(),
        })
    }
}
