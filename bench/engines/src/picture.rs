use imageclassifier_model::{EncodedImage, Input, Picture, PictureError};

use crate::SIZE;

const BYTES_MAX: u64 = 64 << 20;
const PIXELS_MAX: u64 = 50_000_000;

/// The product's way from bytes to input.
pub(crate) fn prepare(encoded: &[u8], full_scale: bool) -> anyhow::Result<Input> {
    let encoded = EncodedImage::new(encoded, BYTES_MAX)?;
    let input = if full_scale {
        at_full_scale(&encoded)
    } else {
        as_served(&encoded)
    };
    Ok(input?)
}

/// What the server does.
fn as_served(encoded: &EncodedImage<&[u8]>) -> Result<Input, PictureError> {
    let picture = Picture::decode(encoded, PIXELS_MAX)?;
    Ok(Input::prepare(&picture, SIZE as u32))
}

/// Every pixel decoded.
fn at_full_scale(encoded: &EncodedImage<&[u8]>) -> Result<Input, PictureError> {
    let picture = Picture::decode(encoded, PIXELS_MAX)?;
    Ok(Input::prepare(&picture, SIZE as u32))
}
