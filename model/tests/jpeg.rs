//! What becomes of JPEGs: one set of rules for colours, Exif and damage, however the file is laid out. What the pixels are is
//! tested in `jpeg/`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use imageclassifier_model::{DecodedImage, EncodedImage, Input, InvalidImage};

const BYTES_MAX: u64 = 10 << 20;
const PIXELS_MAX: u64 = 25_000_000;
const SIZE: u32 = 32;

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../jpeg/tests/golden");
    fs::read(folder.join(name)).unwrap()
}

fn decode(bytes: &[u8]) -> Result<DecodedImage, InvalidImage> {
    DecodedImage::decode(&EncodedImage::new(bytes, BYTES_MAX)?, PIXELS_MAX, SIZE)
}

fn input(bytes: &[u8]) -> Input {
    Input::prepare(&decode(bytes).unwrap())
}

/// An Exif segment with these bytes for its TIFF structure.
fn exif_segment(tiff: &[u8]) -> Vec<u8> {
    let length = u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes();
    [&[0xFF, 0xE1], &length[..], b"Exif\0\0", tiff].concat()
}

/// A TIFF structure of one entry, which tells how the image is turned.
fn tiff(orientation: u8) -> Vec<u8> {
    [
        b"II*\0\x08\0\0\0".as_slice(), // little-endian, first directory at 8
        b"\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), // one entry: orientation, SHORT, one value
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat()
}

fn with_segments(jpeg: &[u8], segments: &[Vec<u8>]) -> Vec<u8> {
    [&jpeg[..2], &segments.concat(), &jpeg[2..]].concat()
}

#[test]
fn scans_do_not_change_the_answer() {
    for sampling in [
        "444",
        "422",
        "440",
        "420",
        "411",
        "410",
        "3x1",
        "chroma-wider",
    ] {
        let sequential = input(&golden(&format!("scans/sequential-{sampling}.jpg")));
        let progressive = input(&golden(&format!("scans/progressive-{sampling}.jpg")));
        assert_eq!(sequential, progressive, "{sampling}");
    }
}

#[test]
fn the_first_exif_segment_counts_even_if_it_is_broken() {
    for name in [
        "420-67x45-q95.jpg",
        "cmyk.jpg",
        "progressive.jpg",
        "scans/sequential-420.jpg",
    ] {
        let plain = golden(name);
        let crop = decode(&plain).unwrap().crop().unwrap();
        let upright = (crop.image_width, crop.image_height);
        let turned = (upright.1, upright.0);
        let (broken, sixth, first) = (b"garbage".to_vec(), tiff(6), tiff(1));
        let empty = Vec::new();
        for (segments, expected) in [
            (vec![&sixth], turned),
            (vec![&broken, &sixth], upright),
            (vec![&sixth, &first], turned),
            (vec![&first, &sixth], upright),
            (vec![&broken], upright),
            (vec![&empty, &sixth], turned),
        ] {
            let segments: Vec<_> = segments
                .into_iter()
                .map(|tiff| exif_segment(tiff))
                .collect();
            let crop = decode(&with_segments(&plain, &segments))
                .unwrap()
                .crop()
                .unwrap();
            assert_eq!((crop.image_width, crop.image_height), expected, "{name}");
        }
    }
}

/// An eighth of the rows is enough, of any kind of file; a file with less is rejected as truncated.
#[test]
fn cut_files_are_used_down_to_an_eighth_of_their_rows() {
    for name in [
        "444-33x70-q95.jpg",
        "grey-33x70.jpg",
        "scans/sequential-444.jpg",
        "scans/progressive-444.jpg",
    ] {
        let bytes = golden(name);
        let scan = bytes.windows(2).position(|m| m == [0xFF, 0xDA]).unwrap();
        // Behind the scan's header.
        let outcomes: Vec<_> = (scan + 20..bytes.len())
            .map(|length| match decode(&bytes[..length]) {
                Ok(_) => None,
                Err(InvalidImage::Truncated { rows_present, rows }) => {
                    assert!(rows_present * 8 < rows, "{name}: {rows_present} of {rows}");
                    Some(rows_present)
                }
                Err(error) => panic!("{name}, {length} bytes: {error}"),
            })
            .collect();
        let rejected = outcomes
            .iter()
            .take_while(|outcome| outcome.is_some())
            .count();
        assert!(rejected > 0, "{name}");
        assert!(rejected < bytes.len() / 3, "{name}: {rejected}");
        assert!(outcomes[rejected..].iter().all(Option::is_none), "{name}");
    }
}

#[test]
fn an_error_names_what_is_not_supported() {
    let mut bytes = golden("420-67x45-q95.jpg");
    let at = bytes.windows(2).position(|m| m == [0xFF, 0xC0]).unwrap();
    bytes[at + 1] = 0xC9;
    let error = decode(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the image cannot be decoded: this JPEG uses arithmetic coding; save it again as a baseline or progressive JPEG"
    );
}

/// Dimensions are read before anything is allocated, whatever the process.
#[test]
fn rejects_too_many_pixels_from_the_header() {
    for name in ["420-67x45-q95.jpg", "progressive.jpg"] {
        let mut bytes = golden(name);
        let at = { bytes.windows(2) }.position(|m| m == [0xFF, 0xC0] || m == [0xFF, 0xC2]);
        bytes[at.unwrap() + 5..][..4].copy_from_slice(&[0x20, 0, 0x20, 0]);
        let error = decode(&bytes).unwrap_err();
        assert!(
            matches!(error, InvalidImage::Dimensions { .. }),
            "{error:?}"
        );
    }
}
