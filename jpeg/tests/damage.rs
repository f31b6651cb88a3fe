//! Damaged files end in an error or in some pixels, never in a panic, and take neither long nor much memory.
//! `MUTATIONS=100000 cargo test --release --test damage` tries more of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use imageclassifier_jpeg::{Error, Jpeg, Region, Rgb, Scale};

/// Limit on the pixels of a damaged image's region: the caller's limit, here small enough for many images.
const PIXELS_MAX: u64 = 1 << 16;

fn samples() -> Vec<Vec<u8>> {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = [golden.clone(), golden.join("scans")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        const MEAN: [u8; 8] = [0, 1, 0x10, 0x7F, 0x80, 0xD0, 0xFE, 0xFF];
        match self.below(3) {
            0 => MEAN[self.below(MEAN.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        // The header, which is the smaller part, is hit as often as the pixels.
        let reach = if random.below(2) == 0 {
            bytes.len().min(700)
        } else {
            bytes.len()
        };
        let at = random.below(reach.max(1)).min(bytes.len() - 1);
        match random.below(6) {
            0 => bytes.truncate(at + 1),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, random.byte()),
            3 => bytes[at] ^= 1 << random.below(8),
            _ => bytes[at] = random.byte(),
        }
        if bytes.len() < 2 {
            return;
        }
    }
}

/// What a fuzzer would call, too.
fn try_to_decode(bytes: &[u8], random: &mut Random) -> Result<(), Error> {
    let jpeg = Jpeg::parse(bytes)?;
    let scale = Scale::ALL[random.below(4)];
    let (width, height) = jpeg.dimensions_at(scale);
    let (left, top) = (random.below(width as usize), random.below(height as usize));
    let [left, top] = [left, top].map(|offset| u32::try_from(offset).unwrap());
    let region = Region {
        left,
        top,
        width: width - left,
        height: height - top,
    };
    if u64::from(region.width) * u64::from(region.height) > PIXELS_MAX {
        return Ok(());
    }
    let rgb = jpeg.decode(scale, region)?;
    assert_eq!(
        rgb.pixels().len() as u64,
        u64::from(region.width) * u64::from(region.height) * 3
    );
    Ok(())
}

#[test]
fn damaged_files_never_panic() {
    let mutations = std::env::var("MUTATIONS").map_or(3000, |number| number.parse().unwrap());
    let samples = samples();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut decoded = 0;
    for round in 0..mutations {
        let mut bytes = samples[round % samples.len()].clone();
        damage(&mut bytes, &mut random);
        decoded += usize::from(try_to_decode(&bytes, &mut random).is_ok());
    }
    println!("{decoded} of {mutations} damaged files were decoded");
    assert!(
        decoded > mutations / 20,
        "damage should often spare the header"
    );
}

#[test]
fn files_that_end_in_their_header_are_damaged() {
    for bytes in samples() {
        let scan = position(&bytes, [0xFF, 0xDA]);
        for length in [0, 1, 2, 20, scan / 2, scan, scan + 5] {
            let result = Jpeg::parse(&bytes[..length]).map(drop);
            assert!(matches!(result, Err(Error::Damaged(_))), "{length}");
        }
    }
}

fn position(bytes: &[u8], marker: [u8; 2]) -> usize {
    bytes.windows(2).position(|two| two == marker).unwrap()
}

fn decode_whole(bytes: &[u8]) -> Rgb {
    let jpeg = Jpeg::parse(bytes).unwrap();
    let (width, height) = jpeg.dimensions();
    let region = Region {
        left: 0,
        top: 0,
        width,
        height,
    };
    jpeg.decode(Scale::Full, region).unwrap()
}

/// Of a file that is cut more and more, ever fewer rows are said to be there: those are the whole file's, the last ones grey.
#[test]
fn a_cut_file_has_its_first_rows() {
    const GREY: u8 = 128;
    for name in ["444-33x70-q95", "grey-33x70", "scans/sequential-444"] {
        let path = format!("{}/tests/golden/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let whole = decode_whole(&bytes);
        assert_eq!(whole.rows_present(), whole.height());
        let row_bytes = whole.width() as usize * 3;
        let scan = position(&bytes, [0xFF, 0xDA]) + 14;
        let (mut before, mut cuts) = (whole.height(), 0);
        for length in (scan..bytes.len() - 2).rev().step_by(29) {
            let cut = decode_whole(&bytes[..length]);
            assert!(cut.rows_present() <= before, "{name}, {length} bytes");
            before = cut.rows_present();
            cuts += u32::from(before < whole.height());
            // Only luminance says which rows are there: colours may be missing.
            let same = if name.starts_with("scans/") {
                0
            } else {
                before as usize * row_bytes
            };
            assert_eq!(
                cut.pixels()[..same],
                whole.pixels()[..same],
                "{name}, {length} bytes"
            );
            if before + 8 < whole.height() {
                let last = &cut.pixels()[cut.pixels().len() - row_bytes..];
                assert!(
                    last.iter().all(|&value| value == GREY),
                    "{name}, {length} bytes"
                );
            }
        }
        assert_eq!(before, 0);
        assert!(cuts > 3, "{name}: {cuts}");
    }
}

/// The first scan has every row, the others only details.
#[test]
fn a_cut_progressive_file_has_all_rows_after_its_first_scan() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/scans/progressive-444.jpg"
    );
    let bytes = std::fs::read(path).unwrap();
    let scan = position(&bytes, [0xFF, 0xDA]);
    let second = scan + 2 + position(&bytes[scan + 2..], [0xFF, 0xDA]);
    let whole = decode_whole(&bytes);
    for length in [second + 1, second + 40, bytes.len() / 2, bytes.len() - 40] {
        assert_eq!(
            decode_whole(&bytes[..length]).rows_present(),
            whole.height()
        );
    }
    let half = decode_whole(&bytes[..(scan + second) / 2]).rows_present();
    assert!(half > 0 && half < whole.height(), "{half}");
}

#[test]
fn a_large_header_alone_gets_no_memory() {
    let mut bytes = samples().swap_remove(0);
    let frame = bytes
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .unwrap();
    bytes[frame + 5..frame + 9].fill(0xFF);
    let jpeg = Jpeg::parse(&bytes).unwrap();
    assert_eq!(jpeg.dimensions(), (65535, 65535));
    let region = Region {
        left: 0,
        top: 0,
        width: 65535,
        height: 65535,
    };
    assert!(matches!(
        jpeg.decode(Scale::Full, region),
        Err(Error::Damaged(_))
    ));
}

/// Each scan may cost a pass over the image.
#[test]
fn rejects_too_many_scans() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/scans/progressive-grey.jpg"
    );
    let bytes = std::fs::read(path).unwrap();
    let scan = position(&bytes, [0xFF, 0xDA]);
    let end = bytes.len() - 2;
    let last_scan = bytes[..end]
        .windows(2)
        .rposition(|two| two == [0xFF, 0xDA])
        .unwrap();
    assert!(last_scan > scan);
    let with_scans = |count: usize| {
        let more = bytes[last_scan..end].repeat(count);
        [&bytes[..end], &more, &bytes[end..]].concat()
    };
    assert_eq!(decode_whole(&with_scans(50)).rows_present(), 37);
    let many = with_scans(100);
    let jpeg = Jpeg::parse(&many).unwrap();
    let region = Region {
        left: 0,
        top: 0,
        width: 1,
        height: 1,
    };
    let error = jpeg.decode(Scale::Full, region).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
}

/// A grey progressive image of 400 megapixels, whose scans take one bit for each block.
#[test]
fn rejects_scans_over_too_many_blocks() {
    const SIDE: u16 = 20_000;
    const BLOCKS: usize = (SIDE as usize / 8) * (SIDE as usize / 8);
    let segment = |code: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, code], &length[..], content].concat()
    };
    let side = SIDE.to_be_bytes();
    let frame = [&[8], &side[..], &side, &[1, 1, 0x11, 0]].concat();
    let code = [&[0u8, 1][..], &[0; 15], &[0]].concat();
    let scan = [segment(0xDA, &[1, 1, 0, 0, 0, 0]), vec![0; BLOCKS / 8 + 1]].concat();
    let start = [
        vec![0xFF, 0xD8],
        segment(0xDB, &[0; 65]),
        segment(0xC2, &frame),
        segment(0xC4, &code),
    ]
    .concat();
    for (scans, is_accepted) in [(6, true), (7, false)] {
        let bytes = [&start[..], &scan.repeat(scans), &[0xFF, 0xD9]].concat();
        let jpeg = Jpeg::parse(&bytes).unwrap();
        let (width, height) = jpeg.dimensions_at(Scale::Eighth);
        let region = Region {
            left: 0,
            top: 0,
            width,
            height,
        };
        let result = jpeg.decode(Scale::Eighth, region);
        assert_eq!(result.is_ok(), is_accepted, "{scans} scans");
    }
}
