//! Bytes of any kind on a picture's way to the network's input.

use imageclassifier_model::{EncodedImage, Input, Picture, PictureError};

const BYTES_MAX: u64 = 1 << 20;
/// Few, so that a run takes microseconds; what is refused is refused by the same code.
const PIXELS_MAX: u64 = 1 << 18;
/// Small, so that small pictures too are scaled down while they are decoded.
const INPUT_SIZE: u32 = 32;

/// An accepted picture becomes an input with values in range; any other is refused without a panic, and as what it is.
pub fn run(data: &[u8]) {
    let encoded = match EncodedImage::new(data, BYTES_MAX) {
        Ok(encoded) => encoded,
        Err(PictureError::Empty) => return assert!(data.is_empty()),
        Err(PictureError::TooLarge { bytes, .. }) => return assert!(bytes > BYTES_MAX),
        Err(PictureError::UnknownFormat) => return,
        Err(error) => panic!("nothing was decoded yet: {error}"),
    };
    match Picture::decode(&encoded, PIXELS_MAX, INPUT_SIZE) {
        Ok(picture) => check(&Input::prepare(&picture)),
        Err(PictureError::Dimensions { width, height, .. }) => {
            let pixels = u64::from(width) * u64::from(height);
            assert!(pixels == 0 || pixels > PIXELS_MAX);
        }
        Err(PictureError::Undecodable(_) | PictureError::Jpeg(_)) => {}
        Err(PictureError::Truncated { rows_present, rows }) => assert!(rows_present < rows),
        Err(error) => panic!("accepted before: {error}"),
    }
}

fn check(input: &Input) {
    assert_eq!(input.values().len(), (INPUT_SIZE * INPUT_SIZE * 3) as usize);
    let range = -127.0 / 128.0..=1.0;
    assert!(input.values().iter().all(|value| range.contains(value)));
}
