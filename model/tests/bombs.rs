//! Files that say that they are huge. Alone in its process, because the process's memory is measured.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use imageclassifier_model::{DecodedImage, EncodedImage, InvalidImage};

/// 25 megapixels have at least 25 MB.
const KIBIBYTES_MAX: u64 = 8 << 10;

#[test]
fn bombs_are_rejected_before_anything_is_allocated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/formats");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("bomb-") {
            continue;
        }
        let encoded = EncodedImage::new(fs::read(&file).unwrap(), 10 << 20).unwrap();
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
    assert_eq!(seen, 13);
}

/// Of this process, as Linux counts it.
fn peak_kibibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}
