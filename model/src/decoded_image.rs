use image::{DynamicImage, metadata::Orientation};

use crate::{
    crop::{Crop, ScaledPart, View, part_of_stored},
    formats::Decoded,
};

/// The decoded part of an image that a network with inputs of a certain size sees, perhaps with something around it.
#[derive(Clone, Debug)]
pub struct DecodedImage {
    /// As stored.
    pub(crate) pixels: DynamicImage,
    /// What the network sees, in `pixels`.
    pub(crate) part: ScaledPart,
    /// How people see it.
    pub(crate) orientation: Orientation,
    pub(crate) input_size: u32,
    /// `None` if the network sees the whole image as a square.
    pub(crate) crop: Option<Crop>,
}

impl DecodedImage {
    /// The part of the whole image that the network sees; `None` if it sees all of it, squashed to a square.
    #[must_use]
    pub fn crop(&self) -> Option<Crop> {
        self.crop
    }

    /// What the network sees of a whole image.
    pub(crate) fn of_whole(decoded: Decoded, view: View) -> Self {
        let Decoded {
            pixels,
            orientation,
        } = decoded;
        let (width, height) = (pixels.width(), pixels.height());
        Self {
            pixels,
            part: part_of_stored(width, height, orientation, view),
            orientation,
            input_size: view.input_size,
            crop: Crop::of_stored(width, height, orientation, view),
        }
    }
}
