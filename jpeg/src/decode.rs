//! From bytes to pixels.

use crate::error::Error;
use crate::header::Header;
use crate::output::Output;
use crate::region::{Region, Rgb, Scale};
use crate::{buffered, scan};

/// A complete file has at least one bit per block; this factor allows for a file of which only an eighth is left.
const BLOCKS_PER_BIT_MAX: u64 = 8;

/// A JPEG whose header has been read and is of a kind that this decoder supports.
#[derive(Clone, Debug)]
pub struct Jpeg<'a> {
    header: Header<'a>,
}

impl<'a> Jpeg<'a> {
    /// Reads the header. Decodes no pixels yet, and allocates nothing but the header's tables.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Damaged`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Header::parse(bytes).map(|header| Self { header })
    }

    /// Width and height of the image as stored, in pixels; both are at least 1.
    #[must_use]
    pub fn dimensions(&self) -> (u32, u32) {
        self.dimensions_at(Scale::Full)
    }

    /// The content of the first Exif segment that is not empty: a TIFF structure, not parsed.
    #[must_use]
    pub fn exif(&self) -> Option<&'a [u8]> {
        self.header.segments.application.exif
    }

    /// Width and height of the scaled image, in pixels: those of the image over `scale`'s divisor, rounded up.
    #[must_use]
    pub fn dimensions_at(&self, scale: Scale) -> (u32, u32) {
        let divisor = scale.divisor();
        (
            self.header.frame.width.div_ceil(divisor),
            self.header.frame.height.div_ceil(divisor),
        )
    }

    /// Decodes the pixels of `region`, which is in pixels of the scaled image.
    ///
    /// Memory: the result, and a few lines. For several scans also the coefficients: 128 bytes for each block of the
    /// region, or 2 if it becomes one sample, and 8 bytes for each block of the image that becomes several samples.
    ///
    /// Rows below the region are not read, so damage there goes unnoticed. Damaged rows have the pixels that libjpeg gives
    /// them; [`Rgb::rows_present`] says whether the file is cut off.
    ///
    /// # Errors
    /// [`Error::OutsideImage`], [`Error::Unsupported`], [`Error::Damaged`].
    pub fn decode(&self, scale: Scale, region: Region) -> Result<Rgb, Error> {
        let (width, height) = self.dimensions_at(scale);
        let fits = |start: u32, length, end| {
            length > 0
                && start
                    .checked_add(length)
                    .is_some_and(|behind| behind <= end)
        };
        if !fits(region.left, region.width, width) || !fits(region.top, region.height, height) {
            return Err(Error::OutsideImage { width, height });
        }
        self.check_length(scale, region)?;
        let mut output = Output::new(&self.header.frame, self.header.colour, scale, region)?;
        let rows_present = if self.header.has_one_scan() {
            scan::decode(&self.header, &mut output)?
        } else {
            buffered::decode(&self.header, &mut output)?
        };
        Ok(Rgb {
            width: region.width,
            height: region.height,
            pixels: output.into_pixels(),
            rows_present,
        })
    }

    /// A large header alone must not cause large allocations.
    fn check_length(&self, scale: Scale, region: Region) -> Result<(), Error> {
        let frame = &self.header.frame;
        let rows_per_unit = frame.down_max * scale.block_side();
        let rows_read = (region.top as usize + region.height as usize).div_ceil(rows_per_unit);
        let blocks = rows_read as u64 * frame.units() as u64 * frame.across_max as u64;
        let bits = self.header.segments.cursor.rest().len() as u64 * 8;
        if blocks > bits * BLOCKS_PER_BIT_MAX {
            return Err(Error::Damaged("it is too short for its dimensions"));
        }
        Ok(())
    }
}
