//! Smaller copies of large images, to be sent in their place. The network sees 224 × 224 pixels, Lite2 260 × 260: a photograph
//! of 12 megapixels uploads about forty times the bytes that it needs.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, ImageEncodeOptions, OffscreenCanvas};

use crate::image::decoded::Decoded;

/// Images of more pixels are shrunk to about this number.
const PIXELS: f64 = 2e6;
/// Smaller files are sent as they are: most JPEGs of two megapixels have more bytes.
const LIGHT_BYTES: u64 = 256 << 10;
/// But not below this shorter side: the network's square, 0.875 of it, stays four times as wide as its input; Lite2's, 0.89 of
/// it, three and a half times.
const SHORT_SIDE: f64 = 1024.0;
/// Shorter side of a drawing without pixels of its own.
const DRAWING_SIDE: f64 = 512.0;
/// Its longer side: canvases have limits.
const DRAWING_SIDE_MAX: f64 = 8192.0;
/// The browser decodes the whole image at four bytes per pixel: at most half a gigabyte.
const DECODED_PIXELS_MAX: f64 = 128e6;
/// Nearly lossless to the eye; what it does to answers is in e2e/README.md.
const JPEG_QUALITY: f64 = 0.92;

/// Which images are shrunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shrinking {
    /// None.
    Off,
    /// Those of more than two megapixels, and those over the server's limit; but not if that saves nothing.
    Large,
    /// All of more than two megapixels.
    All,
}

impl Shrinking {
    /// Whether a file of `bytes` may have to shrink.
    pub(crate) fn concerns(self, bytes: u64, bytes_max: u64) -> bool {
        match self {
            Self::Off => false,
            Self::Large => bytes > LIGHT_BYTES.min(bytes_max),
            Self::All => true,
        }
    }
}

/// The factor for an image of these dimensions; None if it is small enough or too large to decode.
pub(crate) fn factor(width: u32, height: u32) -> Option<f64> {
    if !is_decodable(width, height) {
        return None;
    }
    reduction(f64::from(width), f64::from(height))
}

fn reduction(width: f64, height: f64) -> Option<f64> {
    if width * height <= PIXELS {
        return None;
    }
    let by_area = (PIXELS / (width * height)).sqrt();
    let by_side = SHORT_SIDE / width.min(height);
    let factor = by_area.max(by_side);
    (factor < 1.0).then_some(factor)
}

/// Whether the browser may decode it.
pub(crate) fn is_decodable(width: u32, height: u32) -> bool {
    f64::from(width) * f64::from(height) <= DECODED_PIXELS_MAX
}

/// The image upright, over white, as a JPEG of at most about two megapixels.
pub(crate) async fn redrawn(file: &Blob) -> Result<Blob, JsValue> {
    let decoded = Decoded::new(file, None).await?;
    let (width, height) = decoded.size();
    let factor = if decoded.is_drawing() {
        drawing_factor(width, height)
    } else {
        reduction(width, height).unwrap_or(1.0)
    };
    jpeg(&decoded, factor).await
}

/// The image upright, over white, as a JPEG `factor` times as wide and high.
pub(crate) async fn shrunk(file: &Blob, factor: f64) -> Result<Blob, JsValue> {
    jpeg(&Decoded::new(file, None).await?, factor).await
}

async fn jpeg(decoded: &Decoded, factor: f64) -> Result<Blob, JsValue> {
    let (width, height) = decoded.size();
    let (width, height) = (scaled(width, factor), scaled(height, factor));
    let canvas = OffscreenCanvas::new(width, height)?;
    // web-sys has all methods of contexts for one kind of canvas only; browsers have them for both.
    let context: CanvasRenderingContext2d = canvas
        .get_context("2d")?
        .ok_or(JsValue::NULL)?
        .unchecked_into();
    let [width, height] = [width, height].map(f64::from);
    // The server lays transparent pixels over white; a JPEG would make them black.
    context.set_fill_style_str("white");
    context.fill_rect(0.0, 0.0, width, height);
    // Chromium's best is antialiased.
    js_sys::Reflect::set(&context, &"imageSmoothingQuality".into(), &"high".into())?;
    decoded.draw(&context, [0.0, 0.0, width, height])?;
    let options = ImageEncodeOptions::new();
    options.set_type("image/jpeg");
    options.set_quality(JPEG_QUALITY);
    JsFuture::from(canvas.convert_to_blob_with_options(&options)?)
        .await?
        .dyn_into()
}

/// The factor for a drawing, which is sharp at any size: small ones are enlarged for the network.
fn drawing_factor(width: f64, height: f64) -> f64 {
    let by_side = DRAWING_SIDE / width.min(height);
    let by_area = (PIXELS / (width * height)).sqrt();
    by_side
        .min(by_area)
        .min(DRAWING_SIDE_MAX / width.max(height))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "far below u32::MAX, as canvases are"
)]
fn scaled(length: f64, factor: f64) -> u32 {
    (length * factor).round().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_are_sent_as_they_are_unless_they_exceed_the_limit() {
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
    fn large_images_shrink_to_two_megapixels_and_keep_a_minimum_side() {
        let cases = [
            ((1600, 1250), None),
            ((4000, 3000), Some((1633, 1225))),
            ((3000, 4000), Some((1225, 1633))),
            ((6000, 5000), Some((1549, 1291))),
            ((8000, 1500), Some((5461, 1024))),
            ((20_000, 200), None),    // its short side is short already
            ((65_535, 65_535), None), // more than the browser should decode
        ];
        for ((width, height), expected) in cases {
            let shrunk = factor(width, height)
                .map(|factor| (scaled(width.into(), factor), scaled(height.into(), factor)));
            assert_eq!(shrunk, expected, "{width} x {height}");
        }
    }

    #[test]
    fn drawings_are_scaled_to_the_networks_need_within_two_megapixels() {
        let cases = [
            ((40.0, 30.0), (683, 512)),
            ((2048.0, 1024.0), (1024, 512)),
            ((1.0, 10_000.0), (1, 8192)),
        ];
        for ((width, height), expected) in cases {
            let factor = drawing_factor(width, height);
            assert_eq!((scaled(width, factor), scaled(height, factor)), expected);
        }
    }
}
