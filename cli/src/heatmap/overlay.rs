use image::{Rgb, RgbImage};
use imageclassifier_client::{Crop, Heatmap};
use imageclassifier_crop::heat::{self, HeatGrid, OPACITY};
use imageclassifier_model::{EncodedImage, InvalidImage, UprightImage};

/// The longer side of a drawing, at most: a map has only 7 x 7 values.
const SIDE_MAX: u32 = 1024;
/// Brightness of the part that the network did not see.
const UNSEEN_BRIGHTNESS: f32 = 0.4;

/// An upright image, and the part of it that the network saw.
pub(crate) struct Canvas {
    image: RgbImage,
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Canvas {
    /// Decodes an image as for the network, and scales it down if it is large. Without a crop, the network saw the whole image.
    pub(super) fn new(bytes: &[u8], crop: Option<Crop>) -> Result<Self, InvalidImage> {
        let encoded = EncodedImage::new(bytes, bytes.len() as u64)?;
        // The server has classified the image: its limits suffice.
        let image = UprightImage::decode(&encoded, u64::MAX, SIDE_MAX)?;
        let image = RgbImage::from_raw(image.width(), image.height(), image.into_rgb())
            .expect("three bytes for each pixel");
        let Some(crop) = crop else {
            return Ok(Self::whole(image));
        };
        let scale = image.width() as f32 / crop.picture_width.max(1) as f32;
        let side = crop.side as f32 * scale;
        Ok(Self {
            left: crop.left as f32 * scale,
            top: crop.top as f32 * scale,
            width: side,
            height: side,
            image,
        })
    }

    /// An image that the network saw whole.
    pub(crate) fn whole(image: RgbImage) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: image.width() as f32,
            height: image.height() as f32,
            image,
        }
    }

    /// The image with `map` over it: colour and opacity of a place follow its value from 0 to `peak`. Weak evidence, and
    /// evidence against the class, are transparent, and what the network did not see is dark. `None` if the map has no values.
    pub(crate) fn with(&self, map: &Heatmap, peak: f32) -> Option<RgbImage> {
        let grid = HeatGrid::new(map.width, map.height, &map.values)?;
        let mut drawing = self.image.clone();
        for (x, y, pixel) in drawing.enumerate_pixels_mut() {
            // Of the pixel's centre in what the network saw, 0 to 1.
            let across = (x as f32 + 0.5 - self.left) / self.width;
            let down = (y as f32 + 0.5 - self.top) / self.height;
            let is_seen = (0.0..=1.0).contains(&across) && (0.0..=1.0).contains(&down);
            *pixel = if is_seen {
                over(*pixel, heat::colour(grid.at(across, down) / peak))
            } else {
                mix(Rgb([0; 3]), *pixel, UNSEEN_BRIGHTNESS)
            };
        }
        Some(drawing)
    }
}

/// The largest value of all maps of a result, so that its drawings are comparable; greater than 0.
pub(crate) fn peak(maps: &[&Heatmap]) -> f32 {
    heat::peak(maps.iter().map(|map| &*map.values))
}

/// `pixel` under a colour of a heatmap.
fn over(pixel: Rgb<u8>, [red, green, blue, opacity]: [u8; 4]) -> Rgb<u8> {
    let share = f32::from(opacity) / 255.0 * OPACITY;
    mix(pixel, Rgb([red, green, blue]), share)
}

/// `one`, with `share` of it, 0 to 1, replaced by `other`.
fn mix(Rgb(one): Rgb<u8>, Rgb(other): Rgb<u8>, share: f32) -> Rgb<u8> {
    let channel = |channel: usize| {
        let (one, other) = (f32::from(one[channel]), f32::from(other[channel]));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two bytes"
        )]
        let mixed = (one + (other - one) * share).round() as u8;
        mixed
    };
    Rgb([channel(0), channel(1), channel(2)])
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, RgbaImage};

    use super::*;

    fn encoded(image: &RgbImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn map(values: &[f32]) -> Heatmap {
        Heatmap {
            height: 2,
            width: 2,
            values: values.to_vec(),
        }
    }

    #[test]
    fn colours_only_the_places_where_the_class_was_seen() {
        const GREY: Rgb<u8> = Rgb([100; 3]);
        let image = RgbImage::from_pixel(80, 40, GREY);
        let crop = Crop {
            left: 20,
            top: 0,
            side: 40,
            picture_width: 80,
            picture_height: 40,
        };
        let canvas = Canvas::new(&encoded(&image), Some(crop)).unwrap();
        let seen = map(&[2.0, -1.0, -1.0, -1.0]);
        let drawing = canvas.with(&seen, peak(&[&seen])).unwrap();
        assert_eq!(drawing.dimensions(), (80, 40));
        // The middle of the first cell has the full strength, what speaks against the class none, the rest is dark.
        assert_eq!(*drawing.get_pixel(22, 2), over(GREY, heat::colour(1.0)));
        assert_eq!(*drawing.get_pixel(58, 38), GREY);
        assert_eq!(*drawing.get_pixel(10, 20), Rgb([40; 3]));

        // Beside a class that was seen twice as clearly.
        let clearer = map(&[4.0, 0.0, 0.0, 0.0]);
        let drawing = canvas.with(&seen, peak(&[&seen, &clearer])).unwrap();
        assert_eq!(*drawing.get_pixel(22, 2), over(GREY, heat::colour(0.5)));
    }

    #[test]
    fn scales_large_images_down_and_keeps_the_square_in_place() {
        let image = RgbImage::from_pixel(4096, 1024, Rgb([100; 3]));
        let crop = Crop {
            left: 1536,
            top: 0,
            side: 1024,
            picture_width: 4096,
            picture_height: 1024,
        };
        let canvas = Canvas::new(&encoded(&image), Some(crop)).unwrap();
        let seen = map(&[1.0; 4]);
        let drawing = canvas.with(&seen, 1.0).unwrap();
        assert_eq!(drawing.dimensions(), (1024, 256));
        let dark = Rgb([40; 3]);
        for (x, is_seen) in [(383, false), (384, true), (639, true), (640, false)] {
            assert_eq!(*drawing.get_pixel(x, 100) != dark, is_seen, "{x}");
        }
    }

    #[test]
    fn covers_the_whole_image_without_a_crop() {
        const GREY: Rgb<u8> = Rgb([100; 3]);
        let image = RgbImage::from_pixel(80, 40, GREY);
        let canvas = Canvas::new(&encoded(&image), None).unwrap();
        let seen = map(&[2.0, -1.0, -1.0, 2.0]);
        let drawing = canvas.with(&seen, peak(&[&seen])).unwrap();
        for ((x, y), strength) in [
            ((4, 2), 1.0),
            ((75, 37), 1.0),
            ((75, 2), 0.0),
            ((4, 37), 0.0),
        ] {
            let expected = over(GREY, heat::colour(strength));
            assert_eq!(*drawing.get_pixel(x, y), expected, "{x} {y}");
        }
    }

    #[test]
    fn rejects_a_map_of_the_wrong_size() {
        let crop = Crop {
            picture_width: 2,
            picture_height: 2,
            ..Crop::default()
        };
        let canvas = Canvas::new(&encoded(&RgbImage::new(2, 2)), Some(crop)).unwrap();
        assert!(canvas.with(&Heatmap::default(), 1.0).is_none());
        assert!(canvas.with(&map(&[1.0; 3]), 1.0).is_none());
    }

    #[test]
    fn transparent_pixels_show_white() {
        let mut clear = Cursor::new(Vec::new());
        let image = RgbaImage::new(1, 1);
        image.write_to(&mut clear, ImageFormat::Png).unwrap();
        let crop = Crop {
            picture_width: 1,
            picture_height: 1,
            ..Crop::default()
        };
        let canvas = Canvas::new(&clear.into_inner(), Some(crop)).unwrap();
        assert_eq!(*canvas.image.get_pixel(0, 0), Rgb([255; 3]));
    }
}
