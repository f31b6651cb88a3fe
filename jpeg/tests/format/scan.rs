//! The bytes of a scan, and the pixels that they become.

use crate::file::{END, decode_whole, golden, split_at_coefficients};

/// T.81, B.1.1.2: any number of bytes 0xFF may precede a marker. The decoder reads several bytes at once, so where they
/// begin must not matter.
#[test]
fn fill_bytes_before_a_marker_are_no_pixels() {
    let bytes = golden("grey-33x70");
    let (header, scan) = split_at_coefficients(&bytes);
    for length in 0..64 {
        let cut = [header, &scan[..length], &END].concat();
        let filled = [header, &scan[..length], &[0xFF; 100], &END].concat();
        assert_eq!(decode_whole(&filled), decode_whole(&cut), "{length} bytes");
    }
}

#[test]
fn pixels_can_be_taken_without_a_copy() {
    let rgb = decode_whole(&golden("420-8x9-q30"));
    let pixels = rgb.pixels().to_vec();
    assert_eq!(pixels.len(), 8 * 9 * 3);
    assert_eq!(rgb.into_pixels(), pixels);
}
