//! Which part of an image the network sees, and how a heatmap over that part is drawn.
//!
//! A crate of its own because several sides need the same rules and share nothing else: `model`, which crops, `web`, which draws
//! the square of the preview and heatmaps, and `cli`, which draws heatmaps. Were it part of `model`, the page would pull in burn
//! and the decoders. It has no dependencies.

mod exif;
pub mod heat;

pub use exif::exif_orientation;

/// The part of an image that the network sees: a centred square.
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
    /// The square in the centre of a `width` x `height` image whose side is `fraction` of the shorter side, over 0 and at most 1.
    ///
    /// `width` and `height` are those of the upright image, after its orientation has been applied; at least 1.
    #[must_use]
    pub fn centre_of(width: u32, height: u32, fraction: f64) -> Self {
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
}

/// Side of the square that a network with `input_size` x `input_size` inputs sees, as a fraction of the shorter side: as in the
/// `center_crop` of EfficientNet-Lite's reference implementation.
#[must_use]
pub fn crop_fraction(input_size: u32) -> f64 {
    f64::from(input_size) / f64::from(input_size + 32)
}

#[cfg(test)]
mod tests {
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
            let square = CropSquare::centre_of(size.0, size.1, crop_fraction(224));
            assert_eq!((square.left, square.top, square.side), expected, "{size:?}");
        }
    }
}
