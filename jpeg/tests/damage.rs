//! Damaged files end in an error or in some pixels, never in a panic, and take neither long nor much memory.
//! `MUTATIONS=100000 cargo test --release --test damage` tries more of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use imageclassifier_jpeg::{Error, Jpeg, Region, Scale};

/// Pixels of a damaged picture's region, at most: the caller's limit, here small enough for many pictures.
const PIXELS_MAX: u64 = 1 << 16;

fn samples() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
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
fn files_that_end_early_are_damaged() {
    for bytes in samples() {
        let jpeg = Jpeg::parse(&bytes).unwrap();
        let (width, height) = jpeg.dimensions();
        let region = Region {
            left: 0,
            top: 0,
            width,
            height,
        };
        for length in [0, 1, 2, 20, bytes.len() / 2, bytes.len() - 12] {
            let result =
                Jpeg::parse(&bytes[..length]).and_then(|jpeg| jpeg.decode(Scale::Full, region));
            assert!(
                matches!(result, Err(Error::Damaged(_))),
                "{length} of {}",
                bytes.len()
            );
        }
    }
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
