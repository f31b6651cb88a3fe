//! How many rows of a file are present that is cut off.

use imageclassifier_jpeg::Rgb;

use crate::file::{END, decode_whole, golden, header_of_zeroes, parts, split_at_coefficients};

/// Rows of a unit in which the first component has two rows of blocks.
const UNIT: u32 = 16;
const GREY: u8 = 128;

/// The bytes of some rows of pixels.
fn rows(rgb: &Rgb, from: u32, to: u32) -> &[u8] {
    let row_bytes = rgb.width() as usize * 3;
    &rgb.pixels()[from as usize * row_bytes..to as usize * row_bytes]
}

/// Whole rows of units are present, the part of the next one that its pixels depend on is cut, and then all is grey.
fn is_present_up_to_where_it_is_cut(header: &[u8], scan: &[u8]) {
    let whole = decode_whole(&[header, scan].concat());
    let height = whole.height();
    assert_eq!(whole.rows_present(), height);
    let mut seen = Vec::new();
    // Without any byte, the file would be too short for its dimensions.
    for length in (1..scan.len()).rev() {
        let cut = decode_whole(&[header, &scan[..length]].concat());
        let present = cut.rows_present();
        assert!(
            present == height || present.is_multiple_of(UNIT),
            "{present}"
        );
        // The filter of a unit's first and last row looks at the units above and below.
        let end = if present == height {
            height
        } else {
            present.saturating_sub(1)
        };
        assert_eq!(rows(&cut, 0, end), rows(&whole, 0, end), "{length} bytes");
        let mut grey = rows(&cut, (present + UNIT + 1).min(height), height).iter();
        assert!(grey.all(|&value| value == GREY), "{length} bytes");
        seen.push(present);
    }
    let mut starts = (0..height).step_by(UNIT as usize);
    assert!(starts.all(|start| seen.contains(&start)), "{seen:?}");
}

#[test]
fn a_cut_interleaved_scan_has_its_first_rows_of_units() {
    let bytes = golden("420-33x70-q75");
    let (header, scan) = split_at_coefficients(&bytes[..bytes.len() - END.len()]);
    is_present_up_to_where_it_is_cut(header, scan);
}

/// The other components' scans are missing: all rows are there, without colours.
#[test]
fn a_cut_scan_of_one_component_has_its_first_rows_of_units() {
    let bytes = golden("scans/sequential-420");
    let first = parts(&bytes)[..2].concat();
    let (header, scan) = split_at_coefficients(&first);
    is_present_up_to_where_it_is_cut(header, scan);
}

/// A file whose last bit is its last byte's is not cut, even if it lacks the end marker.
#[test]
fn bits_that_end_with_a_byte_are_complete() {
    let header = header_of_zeroes(0xC0, (32, 24), &[0x11]);
    // Of each block, a bit says that its difference is zero, and one that it has ended.
    for (bytes, rows) in [(1, 8), (2, 16), (3, 24)] {
        let rgb = decode_whole(&[&header[..], &vec![0; bytes]].concat());
        assert_eq!(rgb.rows_present(), rows, "{bytes} bytes");
    }
}

/// A YCCK file is another image without luminance or black; without colours it is only grey.
#[test]
fn ycck_needs_luminance_and_black() {
    let mut bytes = golden("scans/sequential-cmyk-scans");
    let adobe = bytes.windows(5).position(|five| five == b"Adobe").unwrap();
    bytes[adobe + 11] = 2;
    let whole = decode_whole(&bytes);
    let height = whole.height();
    assert_eq!(whole.rows_present(), height);
    let parts = parts(&bytes);
    let present = |scans: &[usize], end: &[u8]| {
        let scans: Vec<_> = scans.iter().flat_map(|&scan| parts[1 + scan]).collect();
        let scans: Vec<u8> = scans.into_iter().copied().collect();
        decode_whole(&[parts[0], &scans, end].concat()).rows_present()
    };
    assert_eq!(present(&[0, 3], &[]), height);
    assert_eq!(present(&[0, 1, 2], &[]), 0);
    assert_eq!(present(&[1, 2, 3], &[]), 0);
    // It was written like this.
    assert_eq!(present(&[0, 1, 2], &END), height);
    assert_eq!(present(&[1, 2, 3], &END), height);
}
