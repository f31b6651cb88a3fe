//! The preprocessing of imported networks, against Pillow's (`make_preprocessing.py`).

use std::{fs, path::PathBuf};

use imageclassifier_model::{
    ChannelOrder, DecodedImage, EncodedImage, Filter, Framing, Input, Preprocessing,
};
use safetensors::SafeTensors;

const SIZE: u32 = 48;
/// In steps of a channel value: 1, and the rounding of the normalisation.
const TOLERANCE: f32 = 1.001;

#[test]
fn every_filter_framing_and_order_of_channels_is_pillows() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let expected = fs::read(folder.join("preprocessing.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&expected).unwrap();
    let framings = [
        (Framing::CropThenResize(0.875), "centre"),
        (Framing::ResizeThenCrop(0.875), "resized-centre"),
        (Framing::Squash, "squash"),
    ];
    for name in ["chelsea", "coffee"] {
        let image = fs::read(folder.join(format!("photos/{name}.png"))).unwrap();
        let image = EncodedImage::new(image, u64::MAX).unwrap();
        for (filter, filter_name) in Filter::ALL {
            for (framing, framing_name) in framings {
                let case = format!("{name}.{filter_name}.{framing_name}");
                let pixels = expected.tensor(&case).unwrap().data();
                for order in [ChannelOrder::Rgb, ChannelOrder::Bgr] {
                    let difference = largest_difference(&image, pixels, filter, framing, order);
                    println!("{case}, {}: {difference:.2} of 255", order.name());
                    assert!(difference <= TOLERANCE, "{case}: {difference}");
                }
            }
        }
    }
}

/// Between our input and Pillow's pixels, normalised as ImageNet's usually are, in steps of a channel value.
fn largest_difference(
    image: &EncodedImage<Vec<u8>>,
    pixels: &[u8],
    filter: Filter,
    framing: Framing,
    order: ChannelOrder,
) -> f32 {
    let preprocessing = Preprocessing {
        version: "test".to_owned(),
        input_size: SIZE,
        framing,
        filter,
        order,
        mean: [123.675, 116.28, 103.53],
        scale: [58.395, 57.12, 57.375],
    };
    let decoded = DecodedImage::decode(image, u64::MAX, preprocessing.view()).unwrap();
    let input = Input::prepare_for(&decoded, &preprocessing);
    assert_eq!(input.values().len(), pixels.len());
    let differences = input.values().iter().enumerate().map(|(i, value)| {
        let channel = i % 3;
        let stored = match order {
            ChannelOrder::Rgb => channel,
            ChannelOrder::Bgr => 2 - channel,
        };
        let pixel = f32::from(pixels[i - channel + stored]);
        let (mean, scale) = (preprocessing.mean[channel], preprocessing.scale[channel]);
        (value * scale + mean - pixel).abs()
    });
    differences.fold(0.0, f32::max)
}
