use fast_image_resize::FilterType;
use imageclassifier_crop::crop_fraction;

use crate::{Framing, View, crop::resized_side};

/// How an image becomes an [`Input`](crate::Input): orientation, transparent pixels over white, framing, antialiased resize,
/// `(x - mean) / scale` for each channel value from 0 to 255.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// Changes whenever the same image may become another input.
    pub version: String,
    /// Side of the square input, in pixels.
    pub input_size: u32,
    /// Which part of the image becomes the input.
    pub framing: Framing,
    /// How it is scaled.
    pub filter: Filter,
    /// The order of the channels.
    pub order: ChannelOrder,
    /// Subtracted from each channel value, 0 to 255, in the network's order of channels.
    pub mean: [f32; 3],
    /// Divisors of the differences.
    pub scale: [f32; 3],
}

/// A resampling filter, antialiased, as Pillow has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Bilinear.
    Bilinear,
    /// Bicubic with a = -0.5.
    CatmullRom,
    /// Lanczos of three lobes.
    Lanczos3,
}

/// The order of the channels of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// Of the steps that all networks share.
const VERSION: &str = "3";
const MEAN: f32 = 127.0;
const SCALE: f32 = 128.0;

impl Preprocessing {
    /// The steps for a built-in network with `input_size` x `input_size` inputs: the reference implementation's
    /// `preprocess_for_eval`.
    #[must_use]
    pub fn of(input_size: u32) -> Self {
        Self {
            version: VERSION.to_owned(),
            input_size,
            framing: Framing::CropThenResize(crop_fraction(input_size)),
            filter: Filter::CatmullRom,
            order: ChannelOrder::Rgb,
            mean: [MEAN; 3],
            scale: [SCALE; 3],
        }
    }

    /// The shorter side, in pixels, of the image that is resized before its centre is cut out; `None` if it is not.
    #[must_use]
    pub fn resized_side(&self) -> Option<u32> {
        match self.framing {
            Framing::ResizeThenCrop(fraction) => Some(resized_side(self.input_size, fraction)),
            Framing::CropThenResize(_) | Framing::Squash => None,
        }
    }

    /// The part of an image that is seen.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            input_size: self.input_size,
            framing: self.framing,
        }
    }
}

impl Filter {
    /// Every filter, by name.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Bilinear, "bilinear"),
        (Self::CatmullRom, "catmull-rom"),
        (Self::Lanczos3, "lanczos3"),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    pub(crate) fn resampling(self) -> FilterType {
        match self {
            Self::Bilinear => FilterType::Bilinear,
            Self::CatmullRom => FilterType::CatmullRom,
            Self::Lanczos3 => FilterType::Lanczos3,
        }
    }
}

impl ChannelOrder {
    /// Its name: `rgb` or `bgr`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Bgr => "bgr",
        }
    }
}
