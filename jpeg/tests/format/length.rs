//! Limits on the work that few bytes can cause.

use imageclassifier_jpeg::{Error, Jpeg, Region, Scale};

use crate::file::{END, header_of_zeroes};

/// A complete file has a bit for each block. The decoder counts the first component's rows of blocks only once per row of
/// units, and accepts a file of which an eighth is left.
#[test]
fn rejects_a_file_shorter_than_an_eighth_of_a_bit_per_block() {
    const BLOCKS_PER_BYTE: usize = 64;
    // 10 units of two blocks in a row, and 16 rows in a unit.
    let header = header_of_zeroes(0xC0, (160, 1600), &[0x22, 0x11, 0x11]);
    for bytes_left in [5, 10, 15] {
        let bytes = [&header[..], &vec![0; bytes_left]].concat();
        let jpeg = Jpeg::parse(&bytes).unwrap();
        let unit_rows = u32::try_from(bytes_left * BLOCKS_PER_BYTE / (10 * 2)).unwrap();
        for scale in Scale::ALL {
            let rows = unit_rows * 16 / scale.divisor();
            let bottom = |row: u32| {
                jpeg.decode(
                    scale,
                    Region {
                        left: 0,
                        top: row - 1,
                        width: 1,
                        height: 1,
                    },
                )
            };
            assert!(bottom(rows).is_ok(), "{bytes_left} bytes, {scale:?}");
            assert!(
                matches!(bottom(rows + 1), Err(Error::Damaged(_))),
                "{bytes_left} bytes, {scale:?}"
            );
        }
    }
}

/// Of each unit the first component has four blocks, the others one. The scan has 42 million blocks; the limit is 40 million.
#[test]
fn all_blocks_of_a_unit_count_towards_the_limit() {
    const UNITS: u16 = 2646;
    let header = header_of_zeroes(0xC2, (16 * UNITS, 16 * UNITS), &[0x22, 0x11, 0x11]);
    let units = usize::from(UNITS) * usize::from(UNITS);
    let bytes = [&header[..], &vec![0; units * 6 / 8], &END].concat();
    let jpeg = Jpeg::parse(&bytes).unwrap();
    let (width, height) = jpeg.dimensions_at(Scale::Eighth);
    let region = Region {
        left: width - 1,
        top: height - 1,
        width: 1,
        height: 1,
    };
    let error = jpeg.decode(Scale::Eighth, region).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
}
