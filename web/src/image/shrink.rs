//! Large pictures made smaller before they are sent. The network looks at 224 × 224 pixels, Lite2 at 260 × 260: a photograph
//! of 12 megapixels costs its upload forty times what it needs.

use js_sys::Uint8Array;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ImageBitmap, ImageBitmapOptions, ImageEncodeOptions, ImageOrientation, OffscreenCanvas,
    OffscreenCanvasRenderingContext2d,
};

/// Pictures of more pixels are made smaller, to about so many.
const PIXELS: f64 = 2e6;
/// Files that weigh no more are sent as they are: a JPEG of two megapixels mostly weighs more.
const LIGHT_BYTES: u64 = 256 << 10;
/// But not below this shorter side: the network's square, 0.875 of it, stays four times as wide as its input; Lite2's, 0.89 of
/// it, three and a half times.
const SHORT_SIDE: f64 = 1024.0;
/// The browser decodes the whole picture, at four bytes a pixel: no more than half a gigabyte.
const DECODED_PIXELS_MAX: f64 = 128e6;
/// Nearly lossless to the eye; what it does to answers is in e2e/README.md.
const JPEG_QUALITY: f64 = 0.92;

/// Whether pictures are made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shrinking {
    /// Never.
    Off,
    /// Those of more than two megapixels, and those that the server would not take; but not where that saves nothing.
    Large,
    /// All those.
    All,
}

impl Shrinking {
    /// Whether a file of so many bytes may have to be made smaller.
    pub(crate) fn concerns(self, bytes: u64, bytes_max: u64) -> bool {
        match self {
            Self::Off => false,
            Self::Large => bytes > LIGHT_BYTES.min(bytes_max),
            Self::All => true,
        }
    }
}

/// By what a picture of these dimensions is multiplied; None where it is small enough.
pub(crate) fn factor(width: u32, height: u32) -> Option<f64> {
    if !is_decodable(width, height) {
        return None;
    }
    let (width, height) = (f64::from(width), f64::from(height));
    if width * height <= PIXELS {
        return None;
    }
    let by_area = (PIXELS / (width * height)).sqrt();
    let by_side = SHORT_SIDE / width.min(height);
    let factor = by_area.max(by_side);
    (factor < 1.0).then_some(factor)
}

/// Whether the browser should try.
pub(crate) fn is_decodable(width: u32, height: u32) -> bool {
    f64::from(width) * f64::from(height) <= DECODED_PIXELS_MAX
}

/// The picture upright, over white, as a JPEG `factor` times as wide and high.
pub(crate) async fn shrink(picture: &Blob, factor: f64) -> Result<Blob, JsValue> {
    let decoded = Decoded::new(picture).await?;
    let (width, height) = (
        scaled(decoded.0.width(), factor),
        scaled(decoded.0.height(), factor),
    );
    let canvas = OffscreenCanvas::new(width, height)?;
    let context: OffscreenCanvasRenderingContext2d =
        canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into()?;
    // What is transparent the server lays over white; a JPEG would make it black.
    context.set_fill_style_str("white");
    context.fill_rect(0.0, 0.0, f64::from(width), f64::from(height));
    smooth(&context)?;
    context.draw_image_with_image_bitmap_and_dw_and_dh(
        &decoded.0,
        0.0,
        0.0,
        f64::from(width),
        f64::from(height),
    )?;
    drop(decoded);
    let jpeg = ImageEncodeOptions::new();
    jpeg.set_type("image/jpeg");
    jpeg.set_quality(JPEG_QUALITY);
    JsFuture::from(canvas.convert_to_blob_with_options(&jpeg)?)
        .await?
        .dyn_into()
}

/// The first bytes of a picture; fails where it cannot be read any more.
pub(crate) async fn head(picture: &Blob, bytes: i32) -> Result<Vec<u8>, JsValue> {
    let head = picture.slice_with_i32_and_i32(0, bytes)?;
    let buffer = JsFuture::from(head.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// Gives its memory back at once instead of when the browser next tidies up.
struct Decoded(ImageBitmap);

impl Decoded {
    async fn new(picture: &Blob) -> Result<Self, JsValue> {
        let upright = ImageBitmapOptions::new();
        upright.set_image_orientation(ImageOrientation::FromImage);
        let decoding =
            window().create_image_bitmap_with_blob_and_image_bitmap_options(picture, &upright)?;
        Ok(Self(JsFuture::from(decoding).await?.dyn_into()?))
    }
}

impl Drop for Decoded {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Chromium's best is antialiased. By name, since web-sys has it for another kind of canvas only.
fn smooth(context: &OffscreenCanvasRenderingContext2d) -> Result<(), JsValue> {
    js_sys::Reflect::set(context, &"imageSmoothingQuality".into(), &"high".into())?;
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a u32 is one"
)]
fn scaled(length: u32, factor: f64) -> u32 {
    (f64::from(length) * factor).round().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_files_are_sent_as_they_are_unless_the_server_would_not_take_them() {
        const MAX: u64 = 10 << 20;
        let cases = [
            (Shrinking::Off, MAX + 1, MAX, false),
            (Shrinking::Large, 256 << 10, MAX, false),
            (Shrinking::Large, (256 << 10) + 1, MAX, true),
            (Shrinking::Large, 1001, 1000, true),
            (Shrinking::All, 1, MAX, true),
        ];
        for (shrinking, bytes, bytes_max, concerned) in cases {
            let concerns = shrinking.concerns(bytes, bytes_max);
            assert_eq!(concerns, concerned, "{shrinking:?} {bytes}");
        }
    }

    #[test]
    fn large_pictures_come_to_two_megapixels_and_no_side_becomes_too_short() {
        let cases = [
            ((1600, 1250), None),
            ((4000, 3000), Some((1633, 1225))),
            ((3000, 4000), Some((1225, 1633))),
            ((6000, 5000), Some((1549, 1291))),
            ((8000, 1500), Some((5461, 1024))),
            ((20_000, 200), None),    // its short side is too short already
            ((65_535, 65_535), None), // more than the browser should decode
        ];
        for ((width, height), expected) in cases {
            let shrunk =
                factor(width, height).map(|factor| (scaled(width, factor), scaled(height, factor)));
            assert_eq!(shrunk, expected, "{width} x {height}");
        }
    }
}
