mod scaled_part;

use image::metadata::Orientation;
use imageclassifier_crop::{CropSquare, crop_fraction};

pub(crate) use self::scaled_part::{Rectangle, ScaledPart, swaps_axes};

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
    /// What a network with this view sees of a stored image of `width` x `height` pixels, which `orientation` turns into
    /// the one that people see. `None` if it sees the whole image as a square. If the view starts at a fraction of a pixel,
    /// the square is rounded to whole pixels.
    pub(crate) fn of_stored(
        width: u32,
        height: u32,
        orientation: Orientation,
        view: View,
    ) -> Option<Self> {
        let fraction = match view.framing {
            Framing::CropThenResize(fraction) => fraction,
            Framing::ResizeThenCrop(fraction) => {
                f64::from(view.input_size) / f64::from(resized_side(view.input_size, fraction))
            }
            Framing::Squash => return None,
        };
        let (image_width, image_height) = upright(width, height, orientation);
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
    /// The centre square, whose side is this fraction of the shorter side. It is cut out first, so that the filter reads no pixel
    /// outside it: as the reference implementation of EfficientNet-Lite does.
    CropThenResize(f64),
    /// The centre square of the resized image: as torchvision's `Resize` and `CenterCrop` do, and timm with them. The resized
    /// image's shorter side is the input's divided by this fraction, plus 0.02, rounded down.
    ResizeThenCrop(f64),
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
            framing: Framing::CropThenResize(crop_fraction(input_size)),
        }
    }
}

impl View {
    /// The part of an upright image that is seen.
    fn part(self, width: u32, height: u32) -> ScaledPart {
        let whole = Rectangle {
            left: 0.0,
            top: 0.0,
            width: width.into(),
            height: height.into(),
        };
        match self.framing {
            Framing::Squash => ScaledPart::cut_out(whole),
            Framing::CropThenResize(fraction) => {
                let CropSquare { left, top, side } = CropSquare::centre_of(width, height, fraction);
                ScaledPart::cut_out(Rectangle {
                    left: left.into(),
                    top: top.into(),
                    width: side.into(),
                    height: side.into(),
                })
            }
            Framing::ResizeThenCrop(fraction) => {
                let shorter = f64::from(resized_side(self.input_size, fraction));
                let side = f64::from(self.input_size);
                // Begin, length, and pixels for each of the resized image's.
                let along = |length: f64, other: f64| {
                    let resized = (shorter * length / length.min(other)).floor();
                    let offset = ((resized - side) / 2.0).round_ties_even();
                    let in_image = |pixels: f64| pixels * length / resized;
                    let begin = in_image(offset);
                    (begin, in_image(offset + side) - begin, length / resized)
                };
                let (left, seen_width, across) = along(whole.width, whole.height);
                let (top, seen_height, down) = along(whole.height, whole.width);
                let seen = Rectangle {
                    left,
                    top,
                    width: seen_width,
                    height: seen_height,
                };
                let reach = |scale: f64| FILTER_RADIUS_MAX * scale.max(1.0) + 1.0;
                ScaledPart {
                    seen,
                    read: seen.pixels_around(reach(across), reach(down), whole),
                }
            }
        }
    }
}

/// What is added to the quotient of input size and fraction, in pixels, before it is rounded down to the resized side.
///
/// Some libraries round the quotient down (timm's `floor(img_size / crop_pct)`), others state the side itself (torchvision's
/// `resize_size`). A side that was made a fraction of four digits must come back as the same side, but the quotient may be a
/// little less: 240 / 255 is written as 0.9412, and 240 / 0.9412 is 254.99. The rounding errors of f64 are far smaller.
const RESIZED_SIDE_SLACK: f64 = 0.02;

/// The shorter side, in pixels, of the resized image. Its centre, this fraction of it, becomes the input.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of f64 saturates"
)]
pub(crate) fn resized_side(input_size: u32, fraction: f64) -> u32 {
    (f64::from(input_size) / fraction + RESIZED_SIDE_SLACK) as u32
}

/// How far filters reach, in pixels of the smaller image: Lanczos' three lobes.
const FILTER_RADIUS_MAX: f64 = 3.0;

/// The part that is seen, of and in a stored image of `width` x `height` pixels, which `orientation` turns into the one that
/// people see.
pub(crate) fn part_of_stored(
    width: u32,
    height: u32,
    orientation: Orientation,
    view: View,
) -> ScaledPart {
    let (image_width, image_height) = upright(width, height, orientation);
    let ScaledPart { seen, read } = view.part(image_width, image_height);
    let in_stored = |rectangle: Rectangle| rectangle.in_stored(orientation, width, height);
    ScaledPart {
        seen: in_stored(seen),
        read: in_stored(read),
    }
}

/// Width and height of the image that people see.
fn upright(width: u32, height: u32, orientation: Orientation) -> (u32, u32) {
    if swaps_axes(orientation) {
        (height, width)
    } else {
        (width, height)
    }
}

#[cfg(test)]
mod tests;
