use std::io::Cursor;

use anyhow::Context;
use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{CroppedImage, Image, ImageRef},
};
use image::{DynamicImage, ImageDecoder, ImageReader};

/// Side of the network's input.
pub const SIZE: u32 = 224;

/// The network's input for an encoded image: `[channel, height, width]`, each value from -127/128 to 1.
pub fn prepare(encoded: &[u8]) -> anyhow::Result<Vec<f32>> {
    let mut decoder = ImageReader::new(Cursor::new(encoded))
        .with_guessed_format()?
        .into_decoder()?;
    let orientation = decoder.orientation()?;
    let rgb = DynamicImage::from_decoder(decoder)?.into_rgb8();
    let (width, height) = rgb.dimensions();

    let side = (width.min(height) * SIZE / (SIZE + 32)).max(1);
    let whole = ImageRef::new(width, height, rgb.as_raw(), PixelType::U8x3)?;
    let (left, top) = ((width - side).div_ceil(2), (height - side).div_ceil(2));
    let square = CroppedImage::new(&whole, left, top, side, side)?;
    let mut resized = Image::new(SIZE, SIZE, PixelType::U8x3);
    let bicubic = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&square, &mut resized, &bicubic)?;

    let rgb = image::RgbImage::from_raw(SIZE, SIZE, resized.into_vec())
        .context("the buffer has three bytes per pixel")?;
    let mut oriented = DynamicImage::from(rgb);
    oriented.apply_orientation(orientation);
    let pixels = oriented.as_bytes();
    let plane = |channel| pixels.iter().skip(channel).step_by(3);
    let values = (0..3).flat_map(plane);
    Ok(values
        .map(|&value| (f32::from(value) - 127.0) / 128.0)
        .collect())
}
