//! Files that say that they are huge. Alone in its process, because the process's memory is measured.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use imageclassifier_model::{DecodedImage, EncodedImage, InvalidImage};

/// 25 megapixels have at least 25 MB.
const KIBIBYTES_MAX: u64 = 8 << 10;

#[test]
fn bombs_are_rejected_before_anything_is_allocated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/formats");
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(&file).unwrap())
    });
    let long = ("bomb-long-list.tif".to_owned(), long_list());
    let mut seen = 0;
    for (name, bytes) in files.chain([long]) {
        if !name.starts_with("bomb-") {
            continue;
        }
        let encoded = EncodedImage::new(bytes, 10 << 20).unwrap();
        let before = peak_kibibytes();
        let error = DecodedImage::decode(&encoded, 25_000_000, 224).unwrap_err();
        let grown = peak_kibibytes() - before;
        assert!(
            matches!(
                error,
                InvalidImage::Dimensions { .. } | InvalidImage::Undecodable(_)
            ),
            "{name}: {error:?}"
        );
        assert!(grown < KIBIBYTES_MAX, "{name}: {grown} KiB");
        seen += 1;
    }
    assert_eq!(seen, 15);
}

/// A TIFF with eight million numbers of samples per pixel, each a byte: the decoder keeps each in 32 bytes.
fn long_list() -> Vec<u8> {
    const BYTE: u32 = 1;
    const LONG: u32 = 4;
    const NUMBERS: u32 = 8_000_000;
    const END_OF_DIRECTORY: u32 = 8 + 2 + 4 * 12 + 4;
    let mut file = b"II*\0\x08\0\0\0\x04\0".to_vec();
    for (tag, kind, count, value) in [
        (256, LONG, 1, 40),
        (257, LONG, 1, 30),
        (262, LONG, 1, 2),
        (277, BYTE, NUMBERS, END_OF_DIRECTORY),
    ] {
        file.extend((kind << 16 | tag).to_le_bytes());
        file.extend([count, value].map(u32::to_le_bytes).concat());
    }
    file.extend([0; 4]);
    file.resize(file.len() + NUMBERS as usize, 1);
    file
}

/// Of this process, as Linux counts it.
fn peak_kibibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}
