//! What a caller requests, and what it gets.

/// How much smaller the image becomes while it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Each 8 x 8 block of coefficients becomes 8 x 8 pixels.
    Full,
    /// 4 x 4 pixels.
    Half,
    /// 2 x 2 pixels.
    Quarter,
    /// One pixel.
    Eighth,
}

impl Scale {
    /// Every scale, largest image first.
    pub const ALL: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Eighth];

    /// Divisor of the image's sides: 1, 2, 4 or 8. A fraction of a pixel counts as one.
    #[must_use]
    pub fn divisor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// Pixels along the side of one block.
    pub(crate) fn block_side(self) -> usize {
        match self {
            Self::Full => 8,
            Self::Half => 4,
            Self::Quarter => 2,
            Self::Eighth => 1,
        }
    }
}

/// A rectangle of the scaled image, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Columns to the left of it.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

/// Decoded pixels: `[height, width, channel]`, row-major, 8-bit RGB without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
    pub(crate) rows_present: u32,
}

impl Rgb {
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

    /// How many rows of the whole unscaled image, from the top, the file contains; rows that were not needed count as
    /// contained. It is less than the image's height only if the file is cut off; the other rows are grey, or less
    /// detailed.
    #[must_use]
    pub fn rows_present(&self) -> u32 {
        self.rows_present
    }

    /// `height * width * 3` bytes.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// `height * width * 3` bytes.
    #[must_use]
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}
