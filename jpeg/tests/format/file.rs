//! Golden files, their parts, and files made of segments.

use imageclassifier_jpeg::{Jpeg, Region, Rgb, Scale};

pub(crate) const START: [u8; 2] = [0xFF, 0xD8];
pub(crate) const END: [u8; 2] = [0xFF, 0xD9];
const START_OF_SCAN: u8 = 0xDA;

/// A file of `tests/golden`, by its name without the extension.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

pub(crate) fn segment(code: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, code], &length[..], content].concat()
}

/// The file with more bytes after its first marker.
pub(crate) fn with_segments(bytes: &[u8], segments: &[Vec<u8>]) -> Vec<u8> {
    [&bytes[..2], &segments.concat(), &bytes[2..]].concat()
}

/// Where the marker with this code is first.
pub(crate) fn position(bytes: &[u8], code: u8) -> usize {
    bytes
        .windows(2)
        .position(|two| two == [0xFF, code])
        .unwrap()
}

/// The file's header, and each of its scans with what follows up to the next one. The end marker is in none of them.
pub(crate) fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    let bytes = bytes.strip_suffix(&END).unwrap();
    let mut rest = bytes;
    let mut parts = Vec::new();
    while let Some(length) = rest[2..]
        .windows(2)
        .position(|two| two == [0xFF, START_OF_SCAN])
    {
        let (part, behind) = rest.split_at(length + 2);
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// The bytes up to the first scan's coefficients, and these with what follows.
pub(crate) fn split_at_coefficients(bytes: &[u8]) -> (&[u8], &[u8]) {
    let header = position(bytes, START_OF_SCAN) + 2;
    let length = u16::from_be_bytes([bytes[header], bytes[header + 1]]);
    bytes.split_at(header + usize::from(length))
}

/// A file of one or three components up to its first scan's coefficients, of which each takes one bit: each difference and
/// the end of each block is a zero, and no other code exists. `factors` are the components' sampling factors.
pub(crate) fn header_of_zeroes(
    process: u8,
    (width, height): (u16, u16),
    factors: &[u8],
) -> Vec<u8> {
    let count = u8::try_from(factors.len()).unwrap();
    let ids = 1..=count;
    let components = ids.clone().zip(factors);
    let components = components.flat_map(|(id, &factors)| [id, factors, 0]);
    let parts: Vec<_> = ids.flat_map(|id| [id, 0]).collect();
    let frame: Vec<_> = [8]
        .into_iter()
        .chain(height.to_be_bytes())
        .chain(width.to_be_bytes())
        .chain([count])
        .chain(components)
        .collect();
    let code = |table: u8| [&[table, 1][..], &[0; 15], &[0]].concat();
    let last = if process == 0xC2 { 0 } else { 63 };
    [
        START.to_vec(),
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(process, &frame),
        segment(0xC4, &code(0x00)),
        segment(0xC4, &code(0x10)),
        segment(
            START_OF_SCAN,
            &[&[count][..], &parts, &[0, last, 0]].concat(),
        ),
    ]
    .concat()
}

pub(crate) fn whole(jpeg: &Jpeg<'_>, scale: Scale) -> Region {
    let (width, height) = jpeg.dimensions_at(scale);
    Region {
        left: 0,
        top: 0,
        width,
        height,
    }
}

pub(crate) fn decode_whole(bytes: &[u8]) -> Rgb {
    let jpeg = Jpeg::parse(bytes).unwrap();
    jpeg.decode(Scale::Full, whole(&jpeg, Scale::Full)).unwrap()
}
