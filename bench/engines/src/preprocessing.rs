use imageclassifier_model::{DecodedImage, EncodedImage, Input};

use crate::SIZE;

const BYTES_MAX: u64 = 64 << 20;
const PIXELS_MAX: u64 = 50_000_000;

/// The product's preprocessing, from an encoded image to the network's input.
pub(crate) fn prepare(encoded: &[u8], full_scale: bool) -> anyhow::Result<Input> {
    let encoded = EncodedImage::new(encoded, BYTES_MAX)?;
    // The server uses `decode`, which may decode at a reduced scale.
    let decode = if full_scale {
        DecodedImage::decode_whole
    } else {
        DecodedImage::decode
    };
    let decoded = decode(&encoded, PIXELS_MAX, SIZE as u32)?;
    Ok(Input::prepare(&decoded))
}
