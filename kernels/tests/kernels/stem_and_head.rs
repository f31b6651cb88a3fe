//! The first and the last layers.

use imageclassifier_kernels::{
    BuildError, FoldedConv, Head, HeadBuffers, Isa, MapShape, Precision, Stem,
};

use crate::max_abs_difference;
use crate::random::Random;
use crate::reference::{self, Map};

const TOLERANCE: f32 = 2e-5;

fn chw(image: &Map) -> Vec<f32> {
    let pixels = image.shape.pixels();
    (0..3 * pixels)
        .map(|i| image.values[i % pixels * 3 + i / pixels])
        .collect()
}

#[test]
fn stem_equals_the_reference() {
    for (height, width, channels) in [
        (1, 1, 1),
        (2, 3, 8),
        (33, 20, 32),
        (32, 65, 40),
        (64, 49, 17),
    ] {
        let mut random = Random::new(height as u64);
        let shape = MapShape::new(height, width, 3).expect("a supported shape");
        let image = Map {
            shape,
            values: random.values(shape.pixels() * 3, 1.0),
        };
        let conv = random.conv(channels, 27);
        let expected = reference::stem(&image, &conv);
        for isa in Isa::available() {
            let stem = Stem::new(isa, height, width, conv.folded()).expect("a supported stem");
            assert_eq!(stem.output(), expected.shape);
            let (mut from_hwc, mut from_chw) =
                (vec![0.0; stem.padded_len()], vec![0.0; stem.padded_len()]);
            stem.pad_hwc(&image.values, &mut from_hwc);
            stem.pad_chw(&chw(&image), &mut from_chw);
            assert_eq!(from_hwc, from_chw);
            let mut output = vec![f32::NAN; stem.output().buffer_len()];
            stem.run(&from_hwc, &mut output);
            let found = Map::from_padded(stem.output(), &output);
            let difference = max_abs_difference(&found.values, &expected.values);
            assert!(
                difference <= TOLERANCE,
                "{isa} {height} {width} {channels}: {difference}"
            );
        }
    }
}

#[test]
fn head_equals_the_reference() {
    for (side, channels, features, classes) in [
        (1, 1, 1, 1),
        (3, 24, 50, 10),
        (7, 320, 1280, 1000),
        (9, 352, 130, 33),
    ] {
        let mut random = Random::new(channels as u64);
        let shape = MapShape::new(side, side, channels).expect("a supported shape");
        let input = Map {
            shape,
            values: random.values(shape.pixels() * channels, 2.0),
        };
        let (conv_head, fc) = (
            random.conv(features, channels),
            random.conv(classes, features),
        );
        let (expected_map, expected_logits) =
            reference::head(&input, &conv_head, &fc, Precision::F32);
        for isa in Isa::available() {
            let head =
                Head::new(isa, shape, conv_head.folded(), fc.folded()).expect("a supported head");
            let mut buffers = HeadBuffers::new(&head);
            head.run(&input.padded(), &mut buffers);
            let difference = max_abs_difference(head.logits(&buffers), &expected_logits);
            assert!(
                difference <= TOLERANCE,
                "{isa} {side} {channels}: logits {difference}"
            );
            let mut map = vec![f32::NAN; expected_map.values.len()];
            head.copy_features(&buffers, &mut map);
            let difference = max_abs_difference(&map, &expected_map.values);
            assert!(
                difference <= TOLERANCE,
                "{isa} {side} {channels}: features {difference}"
            );
        }
    }
}

#[test]
fn rejects_weights_of_the_wrong_length() {
    let conv = FoldedConv {
        weight: &[0.0; 26],
        bias: &[0.0],
    };
    let error = Stem::new(Isa::Scalar, 8, 8, conv).expect_err("26 elements are no 3 x 3 kernel");
    assert_eq!(
        error,
        BuildError::Length {
            layer: "conv_stem",
            expected: 27,
            found: 26
        }
    );
}
