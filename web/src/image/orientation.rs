//! Which way up a WebP is. The server turns it as its Exif chunk says; browsers disagree, so the page turns it by itself.

use imageclassifier_crop::exif_orientation;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::Blob;

use crate::image::read;

/// `RIFF`, a length, `WEBP`.
const CONTAINER_HEAD_BYTES: f64 = 12.0;
/// A chunk's name and length.
const CHUNK_HEAD_BYTES: usize = 8;
const EXTENDED: &[u8] = b"VP8X";
const EXIF: &[u8] = b"EXIF";
/// In the flags of the extended header: readers ignore an Exif chunk that is not announced.
const EXIF_FLAG: u8 = 0x08;
const FLAGS_AT: usize = 20;
/// The Exif chunk lies behind the frames of an animation, each of which takes a look at the file.
const CHUNKS_MAX: usize = 1000;
/// The orientation is in the first directory, near the beginning.
const EXIF_BYTES_MAX: f64 = (64 << 10) as f64;

/// A WebP that has to be turned before people see it.
pub(crate) struct Turned {
    /// The same image without its orientation: no browser turns it.
    pub(crate) plain: Blob,
    /// 2 to 8, as Exif counts.
    pub(crate) orientation: u8,
}

/// None unless `file`, a WebP that begins with `head`, has an orientation other than upright. What is malformed is upright.
pub(crate) async fn of_webp(file: &Blob, head: &[u8]) -> Option<Turned> {
    let flags = *head.get(FLAGS_AT)?;
    if &head[12..16] != EXTENDED || flags & EXIF_FLAG == 0 {
        return None;
    }
    let mut at = CONTAINER_HEAD_BYTES;
    for _ in 0..CHUNKS_MAX {
        let chunk = read::part(file, at, CHUNK_HEAD_BYTES as f64).await.ok()?;
        let (name, length) = chunk.get(..CHUNK_HEAD_BYTES)?.split_at(4);
        let length = f64::from(u32::from_le_bytes(length.try_into().ok()?));
        let content_at = at + CHUNK_HEAD_BYTES as f64;
        if name == EXIF {
            if content_at + length > file.size() {
                return None;
            }
            let exif = read::part(file, content_at, length.min(EXIF_BYTES_MAX)).await;
            let orientation =
                exif_orientation(&exif.ok()?).filter(|&orientation| orientation > 1)?;
            let plain = without_exif(file, flags, at).ok()?;
            return Some(Turned { plain, orientation });
        }
        at = content_at + length + length % 2.0;
    }
    None
}

/// The file with the Exif chunk at `at` under a name that readers do not know and skip, and not announced.
fn without_exif(file: &Blob, flags: u8, at: f64) -> Result<Blob, JsValue> {
    let flags_at = FLAGS_AT as f64;
    let parts: [JsValue; 5] = [
        file.slice_with_f64_and_f64(0.0, flags_at)?.into(),
        Uint8Array::from([flags & !EXIF_FLAG].as_slice()).into(),
        file.slice_with_f64_and_f64(flags_at + 1.0, at)?.into(),
        "none".into(),
        file.slice_with_f64(at + 4.0)?.into(),
    ];
    Blob::new_with_blob_sequence(&parts.iter().collect::<Array>())
}

/// How a canvas draws an image of `width` x `height` pixels upright: the matrix `[a, b, c, d, e, f]` of
/// `CanvasRenderingContext2D.setTransform`.
pub(crate) fn transform(orientation: u8, width: f64, height: f64) -> [f64; 6] {
    match orientation {
        2 => [-1.0, 0.0, 0.0, 1.0, width, 0.0],
        3 => [-1.0, 0.0, 0.0, -1.0, width, height],
        4 => [1.0, 0.0, 0.0, -1.0, 0.0, height],
        5 => [0.0, 1.0, 1.0, 0.0, 0.0, 0.0],
        6 => [0.0, 1.0, -1.0, 0.0, height, 0.0],
        7 => [0.0, -1.0, -1.0, 0.0, height, width],
        8 => [0.0, -1.0, 1.0, 0.0, 0.0, width],
        _ => [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    }
}

/// Whether stored rows are columns of the upright image.
pub(crate) fn swaps_axes(orientation: u8) -> bool {
    orientation >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_corners_come_where_exif_says() {
        let (width, height) = (4.0, 3.0);
        // Where the first row and the first column of the stored image are seen (Exif 2.32, tag Orientation).
        let cases = [
            (1, "top", "left"),
            (2, "top", "right"),
            (3, "bottom", "right"),
            (4, "bottom", "left"),
            (5, "left", "top"),
            (6, "right", "top"),
            (7, "right", "bottom"),
            (8, "left", "bottom"),
        ];
        for (orientation, first_row, first_column) in cases {
            let [a, b, c, d, e, f] = transform(orientation, width, height);
            let (seen_width, seen_height) = if swaps_axes(orientation) {
                (height, width)
            } else {
                (width, height)
            };
            let seen = |x: f64, y: f64| (a * x + c * y + e, b * x + d * y + f);
            let side = |one: (f64, f64), other: (f64, f64)| match (one, other) {
                ((_, 0.0), (_, 0.0)) => "top",
                ((0.0, _), (0.0, _)) => "left",
                ((_, y), (_, z)) if y == seen_height && z == seen_height => "bottom",
                ((x, _), (z, _)) if x == seen_width && z == seen_width => "right",
                _ => "nowhere",
            };
            assert_eq!(
                side(seen(0.0, 0.0), seen(width, 0.0)),
                first_row,
                "{orientation}"
            );
            assert_eq!(
                side(seen(0.0, 0.0), seen(0.0, height)),
                first_column,
                "{orientation}"
            );
        }
    }
}
