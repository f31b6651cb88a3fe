use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::*;

const WIDTH: u32 = 4;
const ROWS: u32 = 40;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const LOWEST_BIT_FIRST_TAG: (u16, u32) = (266, LOWEST_BIT_FIRST);

/// A file with the directory in front. `tags` are added to those of a grey image, or replace them.
fn file(strips: &[Vec<u8>], rows_per_strip: u32, tags: &[(u16, u32)]) -> Vec<u8> {
    let count = u32::try_from(strips.len()).unwrap();
    let mut all = vec![
        (256, WIDTH),
        (257, ROWS),
        (258, 8),
        (259, 1),
        (262, 1),
        (277, 1),
    ];
    all.push((278, rows_per_strip));
    all.retain(|(tag, _)| tags.iter().all(|(other, _)| tag != other));
    all.extend_from_slice(tags);
    all.extend([(273, 0), (279, 0)]);
    all.sort_unstable();
    let lists = 8 + 2 + 12 * u32::try_from(all.len()).unwrap() + 4;
    let mut offsets = Vec::new();
    let mut counts = Vec::new();
    let mut data = Vec::new();
    for strip in strips {
        offsets.push(lists + 8 * count + u32::try_from(data.len()).unwrap());
        counts.push(u32::try_from(strip.len()).unwrap());
        data.extend_from_slice(strip);
    }
    let mut file = b"II\x2A\0\x08\0\0\0".to_vec();
    file.extend(u16::try_from(all.len()).unwrap().to_le_bytes());
    for (tag, value) in all {
        let (values, value) = match tag {
            273 => (count, if count == 1 { offsets[0] } else { lists }),
            279 => (
                count,
                if count == 1 {
                    counts[0]
                } else {
                    lists + 4 * count
                },
            ),
            // Bits of each channel: the decoder accepts one value for all.
            _ => (1, value),
        };
        file.extend(tag.to_le_bytes());
        let kind = if matches!(tag, 273 | 279) {
            LONG
        } else {
            SHORT
        };
        file.extend(kind.to_le_bytes());
        file.extend(values.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    for number in offsets.iter().chain(&counts) {
        file.extend(number.to_le_bytes());
    }
    file.extend(data);
    file
}

/// Rows of which no two are alike, and that deflate cannot shorten by much.
fn samples(row_bytes: u32) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..row_bytes * ROWS).map(|_| next()).collect()
}

fn strips(samples: &[u8], count: usize) -> Vec<Vec<u8>> {
    let parts = samples.chunks(samples.len() / count);
    parts.map(<[u8]>::to_vec).collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Literals, a row each.
fn pack_bits(bytes: &[u8]) -> Vec<u8> {
    let rows = bytes.chunks(WIDTH as usize);
    rows.flat_map(|row| [&[row.len().to_be_bytes()[7] - 1], row].concat())
        .collect()
}

fn message(file: &[u8]) -> String {
    decode(file, 1000).unwrap_err().to_string()
}

fn pixels(file: &[u8]) -> Vec<u8> {
    decode(file, 1000).unwrap().pixels.into_bytes()
}

/// The number of rows that are there before the white ones.
fn rows_shown(file: &[u8], whole: &[u8]) -> usize {
    let pixels = pixels(file);
    let row_bytes = whole.len() / ROWS as usize;
    let pairs = pixels.chunks(row_bytes).zip(whole.chunks(row_bytes));
    let shown = pairs.take_while(|(shown, row)| shown == row).count();
    assert!(pixels[shown * row_bytes..].iter().all(|&byte| byte == 255));
    shown
}

#[test]
fn a_file_of_several_strips_is_decoded_as_far_as_it_reaches() {
    let samples = samples(WIDTH);
    let plain = strips(&samples, 20);
    let packed: Vec<_> = plain.iter().map(|strip| pack_bits(strip)).collect();
    for (strips, method) in [(plain, 1), (packed, 32_773)] {
        let bytes: usize = strips.iter().map(Vec::len).sum();
        let file = file(&strips, 2, &[(259, method)]);
        for kept in [8, 16, 30] {
            let end = file.len() - bytes + bytes * kept / 40;
            assert_eq!(rows_shown(&file[..end], &samples), kept, "{method}");
        }
    }
}

#[test]
fn many_strips_that_share_their_bytes_are_rejected() {
    let samples = samples(WIDTH);
    let whole = samples.len();
    let mut file = file(&strips(&samples, 20), 2, &[]);
    let lists = file.len() - whole - 8 * 20;
    for index in 0..20 {
        let (offset_at, count_at) = (lists + 4 * index, lists + 80 + 4 * index);
        let first = u32::try_from(file.len() - whole).unwrap().to_le_bytes();
        file[offset_at..offset_at + 4].copy_from_slice(&first);
        file[count_at..count_at + 4].copy_from_slice(&u32::try_from(whole).unwrap().to_le_bytes());
    }
    let InvalidImage::Undecodable(error) = decode(&file, 1000).unwrap_err() else {
        panic!("another error");
    };
    assert!(error.to_string().contains("lie on each other"), "{error}");
}

#[test]
fn a_cut_compressed_strip_is_decoded_as_far_as_it_reaches() {
    let samples = samples(WIDTH);
    // The predictor's differences, from sample to sample.
    let mut differences = samples.clone();
    for row in differences.chunks_mut(WIDTH as usize) {
        for index in (1..row.len()).rev() {
            row[index] = row[index].wrapping_sub(row[index - 1]);
        }
    }
    for (strip, tags) in [
        (pack_bits(&samples), vec![(259, 32_773)]),
        (deflated(&samples), vec![(259, 8)]),
        (deflated(&differences), vec![(259, 8), (317, 2)]),
    ] {
        let strip_bytes = strip.len();
        let file = file(&[strip], ROWS, &tags);
        assert_eq!(rows_shown(&file, &samples), ROWS as usize);
        for percent in [50, 95] {
            let cut = &file[..file.len() - strip_bytes * (100 - percent) / 100];
            let shown = rows_shown(cut, &samples);
            // What is cut off includes the checksum behind deflated rows.
            let expected = ROWS as usize * percent / 100;
            assert!(
                (expected - 6..=expected + 1).contains(&shown),
                "{tags:?}: {shown}"
            );
        }
        let stub = &file[..file.len() - strip_bytes + 3];
        assert!(message(stub).contains("truncated"), "{}", message(stub));
    }
}

#[test]
fn samples_of_16_bits_in_a_cut_strip_have_their_byte_order() {
    let deep: Vec<u8> = samples(WIDTH)
        .iter()
        .flat_map(|&byte| [byte, byte])
        .collect();
    let strip = deflated(&deep);
    let half = strip.len() / 2;
    let file = file(&[strip], ROWS, &[(258, 16), (259, 8)]);
    assert!(rows_shown(&file[..file.len() - half], &samples(WIDTH)) > 10);
}

#[test]
fn a_file_without_its_directory_is_truncated() {
    let mut file = file(&strips(&samples(WIDTH), 1), ROWS, &[]);
    assert!(
        message(&file[..60]).contains("truncated"),
        "{}",
        message(&file[..60])
    );
    file[4..8].copy_from_slice(&[0, 1, 0, 0]);
    let end = file.len().min(256);
    assert!(message(&file[..end]).contains("truncated"));
}

#[test]
fn bits_in_reverse_order_are_turned() {
    let samples = samples(WIDTH);
    let reversed = |bytes: &[u8]| bytes.iter().map(|byte| byte.reverse_bits()).collect();
    let plain: Vec<u8> = reversed(&samples);
    let file_plain = file(&strips(&plain, 20), 2, &[LOWEST_BIT_FIRST_TAG]);
    assert_eq!(pixels(&file_plain), samples);
    let file_deflated = file(
        &[reversed(&deflated(&samples))],
        ROWS,
        &[(259, 8), LOWEST_BIT_FIRST_TAG],
    );
    assert_eq!(pixels(&file_deflated), samples);
}

#[test]
fn grey_is_divided_by_its_alpha() {
    let stored = [10, 128].repeat((WIDTH * ROWS) as usize);
    let tags = |alpha| [(277, 2), (338, alpha)];
    let premultiplied = pixels(&file(&strips(&stored, 1), ROWS, &tags(1)));
    assert_eq!(premultiplied[..4], [20, 128, 20, 128]);
    let straight = pixels(&file(&strips(&stored, 1), ROWS, &tags(2)));
    assert_eq!(straight, stored);
}

#[test]
fn grey_with_alpha_as_jpeg_is_rejected_by_name() {
    let file = file(
        &strips(&samples(WIDTH), 1),
        ROWS,
        &[(259, 7), (277, 2), (338, 2)],
    );
    assert!(
        message(&file).contains("grey with alpha"),
        "{}",
        message(&file)
    );
}

#[test]
fn unsupported_compressions_are_named() {
    for (method, name) in [
        (2, "CCITT RLE"),
        (3, "CCITT group 3"),
        (34_925, "LZMA"),
        (50_000, "Zstandard"),
        (12_345, "method 12345"),
    ] {
        let message = message(&file(&strips(&samples(WIDTH), 1), ROWS, &[(259, method)]));
        let expected = format!("the TIFF is compressed with {name}, which is not supported");
        assert!(message.contains(&expected), "{message}");
    }
}
