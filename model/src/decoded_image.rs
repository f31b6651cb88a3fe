use image::{DynamicImage, metadata::Orientation};

use crate::{
    crop::{Crop, ScaledSquare, centre_of_stored},
    formats::Decoded,
};

/// The decoded part of an image that a network with inputs of a certain size sees, perhaps with something around it.
#[derive(Clone, Debug)]
pub struct DecodedImage {
    /// As stored.
    pub(crate) pixels: DynamicImage,
    /// The part that the network sees, in `pixels`.
    pub(crate) square: ScaledSquare,
    /// How people see it.
    pub(crate) orientation: Orientation,
    pub(crate) input_size: u32,
    pub(crate) crop: Crop,
}

impl DecodedImage {
    /// The part of the whole image that the network sees.
    #[must_use]
    pub fn crop(&self) -> Crop {
        self.crop
    }

    /// What the network sees of a whole image.
    pub(crate) fn of_whole(decoded: Decoded, input_size: u32) -> Self {
        let Decoded {
            pixels,
            orientation,
        } = decoded;
        let (width, height) = (pixels.width(), pixels.height());
        Self {
            pixels,
            square: ScaledSquare::new(centre_of_stored(width, height, orientation, input_size), 1),
            orientation,
            input_size,
            crop: Crop::of_stored(width, height, orientation, input_size),
        }
    }
}
