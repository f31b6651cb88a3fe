use image::{DynamicImage, GenericImageView, Rgb, RgbImage};
use imageclassifier_jpeg::Region;

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
        let view = View::from(224);
        let (width, height) = stored.dimensions();
        let crop = Crop::of_stored(width, height, orientation, view).unwrap();
        assert_eq!((crop.image_width, crop.image_height), oriented.dimensions());
        let seen = crop.square;
        let expected = oriented.view(seen.left, seen.top, seen.side, seen.side);

        let inside = part_of_stored(width, height, orientation, view).touched();
        let mut actual = stored.crop_imm(inside.left, inside.top, inside.width, inside.height);
        actual.apply_orientation(orientation);

        assert!(
            actual.pixels().eq(expected.pixels()),
            "orientation {exif} moved the square"
        );
    }
}

#[test]
fn a_scaled_part_keeps_its_fractions() {
    let square = ScaledPart::cut_out(Rectangle {
        left: 688.0,
        top: 189.0,
        width: 2625.0,
        height: 2625.0,
    });
    let scaled = square.divided(4);
    let expected = Region {
        left: 172,
        top: 47,
        width: 657,
        height: 657,
    };
    assert_eq!(scaled.touched(), expected);
    let Rectangle {
        left, top, width, ..
    } = scaled.within_touched().seen;
    assert_eq!((left, top, width), (0.0, 0.25, 656.25));
}

/// 256 x 384 after resizing, of which 224 x 224 are seen.
#[test]
fn the_centre_of_a_resized_image_begins_within_a_pixel_and_reads_around_it() {
    let view = View {
        input_size: 224,
        framing: Framing::ResizeThenCrop(0.875),
    };
    let scale = 400.0 / 256.0;
    let expected = Rectangle {
        left: 80.0 * scale,
        top: 16.0 * scale,
        width: 224.0 * scale,
        height: 224.0 * scale,
    };
    for (orientation, width, height) in [
        (Orientation::NoTransforms, 600, 400),
        (Orientation::Rotate90, 400, 600),
    ] {
        let part = part_of_stored(width, height, orientation, view);
        let seen = match orientation {
            Orientation::NoTransforms => expected,
            _ => Rectangle {
                left: expected.top,
                top: expected.left,
                ..expected
            },
        };
        assert_eq!(part.seen, seen);
        let touched = part.touched();
        let around = FILTER_RADIUS_MAX * scale;
        assert!(f64::from(touched.left) < seen.left - around);
        assert!(f64::from(touched.left + touched.width) > seen.left + seen.width + around);
        assert!(touched.left + touched.width <= width && touched.top + touched.height <= height);
    }
    let crop = Crop::of_stored(600, 400, Orientation::NoTransforms, view).unwrap();
    let CropSquare { left, top, side } = crop.square;
    assert_eq!((left, top, side), (125, 25, 350));
}

#[test]
fn a_resized_image_is_seen_up_to_its_edges_and_not_beyond() {
    for (input_size, fraction) in [(224, 1.0), (240, 1.0), (299, 1.0), (336, 1.0), (224, 0.9)] {
        let view = View {
            input_size,
            framing: Framing::ResizeThenCrop(fraction),
        };
        for side in (1..1200).chain([3456, 4000, 4608]) {
            for exif in 1..=8 {
                let orientation = Orientation::from_exif(exif).unwrap();
                let (width, height) = (side, side + side / 3);
                let part = part_of_stored(width, height, orientation, view);
                let touched = part.touched();
                let case = format!("{width} x {height}, {exif}: {part:?}");
                assert!(touched.left + touched.width <= width, "{case}");
                assert!(touched.top + touched.height <= height, "{case}");
                let inside = part.within_touched();
                let seen = inside.seen.within(touched.width, touched.height);
                assert!(seen.left + seen.width <= touched.width.into(), "{case}");
                assert!(seen.top + seen.height <= touched.height.into(), "{case}");
                // What is cut off is rounding.
                assert!(inside.seen.width - seen.width < 1e-9, "{case}");
                assert!((seen.left - inside.seen.left).abs() < 1e-9, "{case}");
                if fraction == 1.0 && !swaps_axes(orientation) {
                    assert!((seen.width - f64::from(width)).abs() < 1e-9, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_rounded_fraction_gives_the_size_that_it_was_made_of() {
    for (input_size, resized) in [
        (224_u32, 232_u32),
        (224, 256),
        (240, 255),
        (260, 291),
        (288, 320),
    ] {
        let fraction = f64::from(input_size) / f64::from(resized);
        for fraction in [fraction, (fraction * 1e4).round() / 1e4] {
            assert_eq!(
                resized_side(input_size, fraction),
                resized,
                "of {input_size}"
            );
        }
    }
}
