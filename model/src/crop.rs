use image::metadata::Orientation;
use imageclassifier_crop::{CropSquare, crop_fraction};
use imageclassifier_jpeg::Region;

/// The part of an image that the network sees, in pixels of the oriented image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// The part that the network sees.
    pub square: CropSquare,
    /// Width of the whole image.
    pub image_width: u32,
    /// Height of the whole image.
    pub image_height: u32,
}

impl Crop {
    /// What a network with this framing sees of a stored image of `width` x `height` pixels, which `orientation` turns into
    /// the one that people see. `None` if it sees the whole image as a square.
    pub(crate) fn of_stored(
        width: u32,
        height: u32,
        orientation: Orientation,
        framing: Framing,
    ) -> Option<Self> {
        let Framing::Centre(fraction) = framing else {
            return None;
        };
        let (image_width, image_height) = if swaps_axes(orientation) {
            (height, width)
        } else {
            (width, height)
        };
        Some(Self {
            square: CropSquare::centre_of(image_width, image_height, fraction),
            image_width,
            image_height,
        })
    }
}

/// Which part of an image becomes the network's square input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framing {
    /// The centre square, whose side is this fraction of the shorter side.
    Centre(f64),
    /// The whole image, its sides scaled differently.
    Squash,
}

/// How a network sees images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Side of the square input, in pixels.
    pub input_size: u32,
    /// What becomes of the rest.
    pub framing: Framing,
}

/// As the built-in networks see images.
impl From<u32> for View {
    fn from(input_size: u32) -> Self {
        Self {
            input_size,
            framing: Framing::Centre(crop_fraction(input_size)),
        }
    }
}

/// The part that is seen, of and in a stored image of `width` x `height` pixels, which `orientation` turns into the one that
/// people see.
pub(crate) fn part_of_stored(
    width: u32,
    height: u32,
    orientation: Orientation,
    framing: Framing,
) -> ScaledPart {
    match Crop::of_stored(width, height, orientation, framing) {
        Some(seen) => ScaledPart::square(in_stored(seen.square, orientation, width, height)),
        None => ScaledPart {
            left: 0.0,
            top: 0.0,
            width: f64::from(width),
            height: f64::from(height),
        },
    }
}

/// The same square in the coordinates of the stored image, `stored_width` x `stored_height` pixels, which `orientation`
/// turns into the one that people see.
fn in_stored(
    square: CropSquare,
    orientation: Orientation,
    stored_width: u32,
    stored_height: u32,
) -> CropSquare {
    let CropSquare { left, top, side } = square;
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
    CropSquare { left, top, side }
}

/// A part of an image that may have been scaled down, where it may begin and end within a pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScaledPart {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl ScaledPart {
    pub(crate) fn square(square: CropSquare) -> Self {
        Self {
            left: square.left.into(),
            top: square.top.into(),
            width: square.side.into(),
            height: square.side.into(),
        }
    }

    /// The same part of an image whose sides were divided by `divisor`.
    pub(crate) fn divided(self, divisor: u32) -> Self {
        let divisor = f64::from(divisor);
        Self {
            left: self.left / divisor,
            top: self.top / divisor,
            width: self.width / divisor,
            height: self.height / divisor,
        }
    }

    /// The pixels that the part touches.
    pub(crate) fn touched(self) -> Region {
        let (left, width) = touched(self.left, self.width);
        let (top, height) = touched(self.top, self.height);
        Region {
            left,
            top,
            width,
            height,
        }
    }

    /// The same part in an image that holds only the pixels it touches.
    pub(crate) fn within_touched(self) -> Self {
        Self {
            left: self.left.fract(),
            top: self.top.fract(),
            ..self
        }
    }
}

/// The first pixel that is touched, and how many are.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an image's sides fit u32"
)]
fn touched(begin: f64, length: f64) -> (u32, u32) {
    let first = begin.floor() as u32;
    (first, (begin + length).ceil() as u32 - first)
}

/// Whether stored rows become columns when the orientation is applied.
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

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GenericImageView, Rgb, RgbImage};

    use super::*;

    #[test]
    fn cropping_the_stored_image_equals_cropping_the_oriented_one() {
        let stored = DynamicImage::from(RgbImage::from_fn(21, 12, |x, y| {
            Rgb([x, y, x ^ y].map(|v| u8::try_from(v).unwrap()))
        }));
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut oriented = stored.clone();
            oriented.apply_orientation(orientation);
            let framing = View::from(224).framing;
            let crop =
                Crop::of_stored(stored.width(), stored.height(), orientation, framing).unwrap();
            assert_eq!((crop.image_width, crop.image_height), oriented.dimensions());
            let seen = crop.square;
            let expected = oriented.view(seen.left, seen.top, seen.side, seen.side);

            let inside = in_stored(seen, orientation, stored.width(), stored.height());
            let mut actual = stored.crop_imm(inside.left, inside.top, inside.side, inside.side);
            actual.apply_orientation(orientation);

            assert!(
                actual.pixels().eq(expected.pixels()),
                "orientation {exif} moved the square"
            );
        }
    }

    #[test]
    fn a_scaled_part_keeps_its_fractions() {
        let square = CropSquare {
            left: 688,
            top: 189,
            side: 2625,
        };
        let scaled = ScaledPart::square(square).divided(4);
        let expected = Region {
            left: 172,
            top: 47,
            width: 657,
            height: 657,
        };
        assert_eq!(scaled.touched(), expected);
        let ScaledPart {
            left, top, width, ..
        } = scaled.within_touched();
        assert_eq!((left, top, width), (0.0, 0.25, 656.25));
    }
}
