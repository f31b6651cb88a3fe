//! Application segments: Exif, and those that say how the components become colours.

use imageclassifier_jpeg::Jpeg;

use crate::file::{decode_whole, golden, segment, with_segments};

const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;

#[test]
fn exif_is_the_content_of_the_first_exif_segment() {
    let bytes = golden("420-8x9-q30");
    assert_eq!(Jpeg::parse(&bytes).unwrap().exif(), None);
    let xmp = segment(APP1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>");
    let first = segment(APP1, b"Exif\0\0MM\0\x2Afirst");
    let second = segment(APP1, b"Exif\0\0MM\0\x2Asecond");
    let bytes = with_segments(&bytes, &[xmp, first, second]);
    let jpeg = Jpeg::parse(&bytes).unwrap();
    assert_eq!(jpeg.exif(), Some(&b"MM\0\x2Afirst"[..]));
}

#[test]
fn an_empty_exif_segment_does_not_count() {
    let empty = segment(APP1, b"Exif\0\0");
    let next = segment(APP1, b"Exif\0\0MM\0\x2Anext");
    let bytes = with_segments(&golden("420-8x9-q30"), &[empty.clone(), next]);
    let jpeg = Jpeg::parse(&bytes).unwrap();
    assert_eq!(jpeg.exif(), Some(&b"MM\0\x2Anext"[..]));
    let bytes = with_segments(&golden("420-8x9-q30"), &[empty]);
    assert_eq!(Jpeg::parse(&bytes).unwrap().exif(), None);
}

/// A JFIF segment would make Y'CbCr of components that are called R, G and B.
#[test]
fn only_a_complete_jfif_segment_sets_the_colours() {
    let bytes = golden("scans/sequential-ids-rgb");
    let pixels = decode_whole(&bytes);
    let with = |content: &[u8]| decode_whole(&with_segments(&bytes, &[segment(APP0, content)]));
    assert_ne!(with(b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"), pixels);
    assert_eq!(with(b"AVI1\0\0\0\0\0\0\0\0\0\0"), pixels);
    assert_eq!(with(b"JFIF\0\x01\x02\0\0\x01\0\x01\0"), pixels);
}
