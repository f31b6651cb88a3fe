use imageclassifier_client::Crop;
use imageclassifier_crop::CropSquare;

/// The square of an image that the network saw, in pixels of the image as the browser displays it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Square {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) side: f64,
}

impl Square {
    /// For an image of this size: from the server's answer, or as the server will choose it.
    pub(crate) fn of((width, height): (u32, u32), said: Option<&Crop>, input_size: u32) -> Self {
        match said.filter(|crop| crop.picture_width > 0) {
            // The server may have received a smaller copy.
            Some(crop) => {
                let scale = f64::from(width) / f64::from(crop.picture_width);
                let [left, top, side] =
                    [crop.left, crop.top, crop.side].map(|pixels| f64::from(pixels) * scale);
                Self { left, top, side }
            }
            None => {
                let CropSquare { left, top, side } = CropSquare::centre(width, height, input_size);
                let [left, top, side] = [left, top, side].map(f64::from);
                Self { left, top, side }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_square_is_scaled_to_the_image() {
        let crop = Crop {
            left: 110,
            top: 30,
            side: 420,
            picture_width: 640,
            picture_height: 480,
        };
        let square = Square::of((1280, 960), Some(&crop), 224);
        assert_eq!((square.left, square.top, square.side), (220.0, 60.0, 840.0));
    }

    #[test]
    fn without_a_result_the_square_comes_from_the_shared_function() {
        for said in [None, Some(&Crop::default())] {
            let square = Square::of((640, 480), said, 224);
            assert_eq!((square.left, square.top, square.side), (110.0, 30.0, 420.0));
        }
    }
}
