use image::metadata::Orientation;

use crate::picture::swaps_axes;

/// The part of a picture that the network sees: a centred square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropSquare {
    /// Columns to the left of the square.
    pub left: u32,
    /// Rows above the square.
    pub top: u32,
    /// Width and height of the square, at least 1 pixel.
    pub side: u32,
}

impl CropSquare {
    /// The square that a network with `input_size` x `input_size` inputs sees of a `width` x `height` picture: its side
    /// is `input_size / (input_size + 32)` of the shorter side, as in the reference implementation's `center_crop`.
    ///
    /// `width` and `height` are those of the picture as people see it, after its orientation has been applied.
    #[must_use]
    pub fn centre(width: u32, height: u32, input_size: u32) -> Self {
        let fraction = crop_fraction(input_size);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the shorter side"
        )]
        let side = ((fraction * f64::from(width.min(height))) as u32).max(1);
        Self {
            left: (width - side).div_ceil(2),
            top: (height - side).div_ceil(2),
            side,
        }
    }

    /// As [`Self::centre`], of and in a stored picture of `width` x `height` pixels, which `orientation` turns into the one
    /// that people see.
    pub(crate) fn centre_of_stored(
        width: u32,
        height: u32,
        orientation: Orientation,
        input_size: u32,
    ) -> Self {
        let seen = if swaps_axes(orientation) {
            Self::centre(height, width, input_size)
        } else {
            Self::centre(width, height, input_size)
        };
        seen.in_stored(orientation, width, height)
    }

    /// The same square in the coordinates of the stored picture, `stored_width` x `stored_height` pixels, which
    /// `orientation` turns into the one that people see.
    fn in_stored(self, orientation: Orientation, stored_width: u32, stored_height: u32) -> Self {
        let Self { left, top, side } = self;
        let from_right = |offset| stored_width - offset - side;
        let from_bottom = |offset| stored_height - offset - side;
        let (left, top) = match orientation {
            Orientation::NoTransforms => (left, top),
            Orientation::FlipHorizontal => (from_right(left), top),
            Orientation::Rotate180 => (from_right(left), from_bottom(top)),
            Orientation::FlipVertical => (left, from_bottom(top)),
            Orientation::Rotate90FlipH => (top, left),
            Orientation::Rotate90 => (top, from_bottom(left)),
            Orientation::Rotate270FlipH => (from_right(top), from_bottom(left)),
            Orientation::Rotate270 => (from_right(top), left),
        };
        Self { left, top, side }
    }
}

/// Side of the square as a fraction of the shorter side.
pub(crate) fn crop_fraction(input_size: u32) -> f64 {
    f64::from(input_size) / f64::from(input_size + 32)
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GenericImageView, Rgb, RgbImage};

    use super::*;

    #[test]
    fn square_has_the_references_side_and_offsets() {
        // (width, height) -> (left, top, side): int(0.875 * short side), (long - side + 1) // 2
        for (size, expected) in [
            ((640, 480), (110, 30, 420)),
            ((481, 640), (31, 110, 420)),
            ((1, 1), (0, 0, 1)),
            ((1, 9), (0, 4, 1)),
            ((256, 256), (16, 16, 224)),
        ] {
            let square = CropSquare::centre(size.0, size.1, 224);
            assert_eq!((square.left, square.top, square.side), expected, "{size:?}");
        }
    }

    #[test]
    fn cropping_the_stored_picture_equals_cropping_the_oriented_one() {
        let stored = DynamicImage::from(RgbImage::from_fn(21, 12, |x, y| {
            Rgb([x, y, x ^ y].map(|v| u8::try_from(v).unwrap()))
        }));
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut oriented = stored.clone();
            oriented.apply_orientation(orientation);
            let seen = CropSquare::centre(oriented.width(), oriented.height(), 224);
            let expected = oriented.view(seen.left, seen.top, seen.side, seen.side);

            let inside = seen.in_stored(orientation, stored.width(), stored.height());
            let mut actual = stored.crop_imm(inside.left, inside.top, inside.side, inside.side);
            actual.apply_orientation(orientation);

            assert!(
                actual.pixels().eq(expected.pixels()),
                "orientation {exif} moved the square"
            );
        }
    }
}
