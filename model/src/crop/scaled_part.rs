use image::metadata::Orientation;
use imageclassifier_jpeg::Region;

/// A part of an image that may have been scaled down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScaledPart {
    /// What becomes the input.
    pub(crate) seen: Rectangle,
    /// What the filter may read, in whole pixels of the image before it was scaled down.
    pub(super) read: Rectangle,
}

impl ScaledPart {
    /// A part of whole pixels; the filter reads nothing else.
    pub(crate) fn cut_out(seen: Rectangle) -> Self {
        Self { seen, read: seen }
    }

    /// The same part of an image whose sides were divided by `divisor`.
    pub(crate) fn divided(self, divisor: u32) -> Self {
        let divisor = f64::from(divisor);
        Self {
            seen: self.seen.divided(divisor),
            read: self.read.divided(divisor),
        }
    }

    /// The pixels that the filter may read.
    pub(crate) fn touched(self) -> Region {
        let (left, width) = touched(self.read.left, self.read.width);
        let (top, height) = touched(self.read.top, self.read.height);
        Region {
            left,
            top,
            width,
            height,
        }
    }

    /// The same part in an image that holds only the pixels that the filter may read.
    pub(crate) fn within_touched(self) -> Self {
        let Region { left, top, .. } = self.touched();
        let moved = |rectangle: Rectangle| Rectangle {
            left: rectangle.left - f64::from(left),
            top: rectangle.top - f64::from(top),
            ..rectangle
        };
        Self {
            seen: moved(self.seen),
            read: moved(self.read),
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

/// A rectangle, in pixels, which may begin and end within a pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rectangle {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rectangle {
    /// The same rectangle in the coordinates of the stored image, `stored_width` x `stored_height` pixels, which
    /// `orientation` turns into the one that people see.
    pub(super) fn in_stored(
        self,
        orientation: Orientation,
        stored_width: u32,
        stored_height: u32,
    ) -> Self {
        let (width, height) = if swaps_axes(orientation) {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        let Self { left, top, .. } = self;
        let from_right = |offset: f64| f64::from(stored_width) - offset - width;
        let from_bottom = |offset: f64| f64::from(stored_height) - offset - height;
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
        Self {
            left,
            top,
            width,
            height,
        }
    }

    /// The whole pixels of it and around it, as far as `whole` has them.
    pub(super) fn pixels_around(self, across: f64, down: f64, whole: Self) -> Self {
        let along = |begin: f64, length: f64, around: f64, end: f64| {
            let first = (begin - around).floor().max(0.0);
            (first, (begin + length + around).ceil().min(end) - first)
        };
        let (left, width) = along(self.left, self.width, across, whole.width);
        let (top, height) = along(self.top, self.height, down, whole.height);
        Self {
            left,
            top,
            width,
            height,
        }
    }

    /// Without what lies outside an image of `width` x `height` pixels: fractions may be rounded past its edges.
    pub(crate) fn within(self, width: u32, height: u32) -> Self {
        let (left, top) = (self.left.max(0.0), self.top.max(0.0));
        Self {
            left,
            top,
            width: self.width.min(f64::from(width) - left),
            height: self.height.min(f64::from(height) - top),
        }
    }

    fn divided(self, divisor: f64) -> Self {
        Self {
            left: self.left / divisor,
            top: self.top / divisor,
            width: self.width / divisor,
            height: self.height / divisor,
        }
    }
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
