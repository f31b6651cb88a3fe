//! Headers that break the standard, and segments that have no consequence.

use imageclassifier_jpeg::{Error, Jpeg};

use crate::file::{
    END, decode_whole, golden, header_of_zeroes, parts, position, segment, with_segments,
};

const START_OF_FRAME: u8 = 0xC0;
const PROGRESSIVE_FRAME: u8 = 0xC2;
const START_OF_SCAN: u8 = 0xDA;

fn is_damaged(bytes: &[u8]) -> bool {
    matches!(Jpeg::parse(bytes), Err(Error::Damaged(_)))
}

fn decodes(bytes: &[u8]) -> Result<(), Error> {
    let jpeg = Jpeg::parse(bytes)?;
    let scale = imageclassifier_jpeg::Scale::Full;
    jpeg.decode(scale, crate::file::whole(&jpeg, scale))
        .map(drop)
}

#[test]
fn segments_for_other_codings_are_ignored() {
    const ARITHMETIC_CONDITIONING: u8 = 0xCC;
    const EXTENSIONS: u8 = 0xC8;
    let bytes = golden("420-17x16-q95");
    for code in [ARITHMETIC_CONDITIONING, EXTENSIONS] {
        let with = with_segments(&bytes, &[segment(code, &[0, 0x10])]);
        assert_eq!(decode_whole(&with), decode_whole(&bytes), "{code:X}");
    }
}

#[test]
fn rejects_a_second_start_of_image() {
    let bytes = golden("420-17x16-q95");
    // Two bytes that would be the length of an empty segment.
    assert!(is_damaged(&with_segments(&bytes, &[segment(0xD8, &[])])));
    assert!(!is_damaged(&with_segments(&bytes, &[segment(0xFE, &[])])));
}

#[test]
fn rejects_sampling_factors_that_are_not_from_1_to_4() {
    let with = |factors: u8| header_of_zeroes(START_OF_FRAME, (8, 8), &[factors]);
    for factors in [0x11, 0x14, 0x41, 0x44] {
        assert!(!is_damaged(&with(factors)), "{factors:X}");
    }
    for factors in [0x10, 0x01, 0x15, 0x51] {
        assert!(is_damaged(&with(factors)), "{factors:X}");
    }
}

/// T.81, B.2.3.
#[test]
fn rejects_more_than_ten_blocks_in_an_interleaved_unit() {
    let with = |factors: [u8; 3]| header_of_zeroes(START_OF_FRAME, (8, 8), &factors);
    assert!(!is_damaged(&with([0x24, 0x11, 0x11])));
    assert!(is_damaged(&with([0x24, 0x21, 0x11])));
}

/// T.81, G.1.1.1: coefficients after the first are in scans of one component. The first scan is of the given components.
#[test]
fn rejects_invalid_parameters_of_progressive_scans() {
    let with = |factors: &[u8], [first, last, bits]: [u8; 3]| {
        let mut bytes = header_of_zeroes(PROGRESSIVE_FRAME, (8, 8), factors);
        let end = bytes.len();
        bytes[end - 3..].copy_from_slice(&[first, last, bits]);
        is_damaged(&bytes)
    };
    let (grey, three) = (&[0x11][..], &[0x11, 0x11, 0x11][..]);
    assert!(!with(grey, [0, 0, 0x0D]));
    assert!(!with(three, [0, 0, 0x0D]));
    assert!(!with(grey, [1, 63, 0]));
    assert!(!with(grey, [5, 5, 0x21]));
    for parameters in [[0, 1, 0], [5, 4, 0], [1, 64, 0], [0, 0, 0x0E], [1, 5, 0x31]] {
        assert!(with(grey, parameters), "{parameters:?}");
    }
    assert!(with(three, [1, 63, 0]));
}

/// T.81, C: the code of all ones is not used. A table may be wrong as long as no scan uses it.
#[test]
fn rejects_huffman_tables_with_too_many_codes() {
    const HUFFMAN_TABLES: u8 = 0xC4;
    let bytes = header_of_zeroes(START_OF_FRAME, (8, 8), &[0x11]);
    let scan = position(&bytes, START_OF_SCAN);
    let with = |table: u8, counts: [u8; 16]| {
        let codes = counts.iter().map(|&count| usize::from(count)).sum();
        let content = [&[table][..], &counts, &vec![0; codes]].concat();
        let table = segment(HUFFMAN_TABLES, &content);
        let coefficients = [0; 4];
        decodes(&[&bytes[..scan], &table, &bytes[scan..], &coefficients].concat())
    };
    // One code of each length leaves the one of all ones unused.
    let full = [1; 16];
    assert_eq!(with(0x10, full), Ok(()));
    for length in 1..=16 {
        let mut overfull = full;
        overfull[length - 1] += 1;
        overfull[length..].fill(0);
        for table in [0x00, 0x10] {
            let result = with(table, overfull);
            assert!(matches!(result, Err(Error::Damaged(_))), "{length} bits");
        }
        assert_eq!(with(0x11, overfull), Ok(()), "{length} bits");
    }
}

/// Later scans only refine what is there.
#[test]
fn damage_after_each_components_first_scan_ends_the_file() {
    let bytes = golden("scans/progressive-444");
    let parts = parts(&bytes);
    let before = parts[..5].concat();
    let whole = decode_whole(&[&before[..], &END].concat());
    // A scan of a component that the frame does not have.
    let damaged = segment(START_OF_SCAN, &[1, 99, 0, 0, 0, 0]);
    let rest = parts[5..].concat();
    let cut = decode_whole(&[&before[..], &damaged, &rest, &END].concat());
    assert_eq!(cut, whole);
    assert_ne!(cut, decode_whole(&bytes));
}

#[test]
fn damage_before_a_components_first_scan_is_an_error() {
    let bytes = golden("scans/sequential-444");
    let parts = parts(&bytes);
    let damaged = segment(START_OF_SCAN, &[1, 99, 0, 0, 0, 0]);
    for scans in 2..=3 {
        let before = parts[..scans].concat();
        let result = decodes(&[&before[..], &damaged, &END].concat());
        assert!(matches!(result, Err(Error::Damaged(_))), "{scans}");
    }
}
