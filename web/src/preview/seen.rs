use imageclassifier_client::{Answer, Crop};
use imageclassifier_crop::CropSquare;

use crate::session::server::Model;

/// The part of an image that the network sees, in pixels of the image as the browser displays it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Seen {
    /// Of an image of this width and height: as the server's answer says, or as `model` will choose it.
    pub(crate) fn of(size: (u32, u32), answer: Option<&Answer>, model: &Model) -> Self {
        let (width, height) = size;
        let crop = |answer: &Answer| answer.crop.filter(|crop| crop.picture_width > 0);
        match answer.map(crop) {
            // The server may have received a smaller copy.
            Some(Some(Crop {
                left,
                top,
                side,
                picture_width,
                ..
            })) => Self::square(
                [left, top, side],
                f64::from(width) / f64::from(picture_width),
            ),
            None if !model.squash => {
                let fraction = model.crop_fraction;
                let CropSquare { left, top, side } = CropSquare::centre_of(width, height, fraction);
                Self::square([left, top, side], 1.0)
            }
            Some(None) | None => Self {
                left: 0.0,
                top: 0.0,
                width: width.into(),
                height: height.into(),
            },
        }
    }

    fn square(pixels: [u32; 3], scale: f64) -> Self {
        let [left, top, side] = pixels.map(|pixels| f64::from(pixels) * scale);
        Self {
            left,
            top,
            width: side,
            height: side,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(crop: Option<Option<Crop>>, squash: bool) -> [f64; 4] {
        let answer = crop.map(|crop| Answer {
            crop,
            ..Answer::default()
        });
        let model = Model {
            squash,
            ..Model::default()
        };
        let seen = Seen::of((1280, 960), answer.as_ref(), &model);
        [seen.left, seen.top, seen.width, seen.height]
    }

    #[test]
    fn the_servers_square_is_scaled_to_the_image() {
        let crop = Crop {
            left: 110,
            top: 30,
            side: 420,
            picture_width: 640,
            picture_height: 480,
        };
        assert_eq!(seen(Some(Some(crop)), false), [220.0, 60.0, 840.0, 840.0]);
    }

    #[test]
    fn before_an_answer_the_model_says_which_square() {
        assert_eq!(seen(None, false), [220.0, 60.0, 840.0, 840.0]);
    }

    #[test]
    fn a_model_that_resizes_to_a_square_sees_the_whole_image() {
        let whole = [0.0, 0.0, 1280.0, 960.0];
        assert_eq!(seen(None, true), whole);
        assert_eq!(seen(Some(None), false), whole);
    }
}
