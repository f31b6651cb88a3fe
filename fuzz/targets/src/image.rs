//! Arbitrary bytes as an encoded image, from the format check to the network's input.

use imageclassifier_model::{DecodedImage, EncodedImage, Input, InvalidImage};

const BYTES_MAX: u64 = 1 << 20;
/// Low, so that a run takes a millisecond or less. All seeds are below it but those named `bomb-`; the same code
/// rejects larger images under the default limit.
const PIXELS_MAX: u64 = 1 << 15;
/// Small, so that the decoder scales down even small images.
const INPUT_SIZE: u32 = 32;

/// An accepted image becomes an input with values in range. Any other is rejected with the right error and without a panic.
pub fn run(data: &[u8]) {
    let encoded = match EncodedImage::new(data, BYTES_MAX) {
        Ok(encoded) => encoded,
        Err(InvalidImage::Empty) => return assert!(data.is_empty()),
        Err(InvalidImage::TooLarge { bytes, .. }) => return assert!(bytes > BYTES_MAX),
        Err(InvalidImage::UnknownFormat | InvalidImage::ForeignFormat(_)) => return,
        Err(error) => panic!("an error of a later stage: {error}"),
    };
    match DecodedImage::decode(&encoded, PIXELS_MAX, INPUT_SIZE) {
        Ok(decoded) => check(&Input::prepare(&decoded)),
        Err(InvalidImage::Dimensions { width, height, .. }) => {
            let pixels = u64::from(width) * u64::from(height);
            assert!(pixels == 0 || pixels > PIXELS_MAX);
        }
        Err(InvalidImage::Truncated { rows_present, rows }) => assert!(rows_present < rows),
        Err(InvalidImage::Undecodable(_) | InvalidImage::Jpeg(_)) => {}
        Err(error) => panic!("an error of an earlier stage: {error}"),
    }
}

fn check(input: &Input) {
    assert_eq!(input.values().len(), (INPUT_SIZE * INPUT_SIZE * 3) as usize);
    let range = -127.0 / 128.0..=1.0;
    assert!(input.values().iter().all(|value| range.contains(value)));
}
