//! The pixels are Pillow's (libjpeg-turbo's), bit for bit. `tests/golden/make.py` makes files and answers anew.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use imageclassifier_jpeg::{Error, Jpeg, Region, Scale};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn whole(jpeg: &Jpeg<'_>, scale: Scale) -> Region {
    let (width, height) = jpeg.dimensions_at(scale);
    Region {
        left: 0,
        top: 0,
        width,
        height,
    }
}

/// File, scale, width, height and digest of each golden answer.
fn answers() -> Vec<(String, Scale, u32, u32, u64)> {
    let table = std::fs::read_to_string(golden("expected.csv")).unwrap();
    let scale = |divisor: u32| {
        Scale::ALL
            .into_iter()
            .find(|s| s.divisor() == divisor)
            .unwrap()
    };
    let answer = |line: &str| {
        let cells: Vec<_> = line.split(',').collect();
        let number = |i: usize| cells[i].parse().unwrap();
        let digest = u64::from_str_radix(cells[4], 16).unwrap();
        (
            cells[0].to_owned(),
            scale(number(1)),
            number(2),
            number(3),
            digest,
        )
    };
    table.lines().skip(1).map(answer).collect()
}

#[test]
fn pixels_are_those_of_libjpeg_turbo() {
    let answers = answers();
    assert!(answers.len() > 200, "the golden answers are incomplete");
    let mut wrong = Vec::new();
    for (file, scale, width, height, digest) in &answers {
        let bytes = std::fs::read(golden(file)).unwrap();
        let jpeg = Jpeg::parse(&bytes).unwrap();
        assert_eq!(
            jpeg.dimensions_at(*scale),
            (*width, *height),
            "{file} {scale:?}"
        );
        let rgb = jpeg.decode(*scale, whole(&jpeg, *scale)).unwrap();
        if fnv1a(rgb.pixels()) != *digest {
            wrong.push((file, scale));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ: {wrong:?}",
        wrong.len(),
        answers.len()
    );
}

#[test]
fn a_region_is_that_part_of_the_whole() {
    let mut seed = 1u32;
    let mut random = |from: u32, below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        from + (seed >> 8) % (below - from)
    };
    for (file, scale, width, height, _) in answers() {
        let bytes = std::fs::read(golden(&file)).unwrap();
        let jpeg = Jpeg::parse(&bytes).unwrap();
        let all = jpeg.decode(scale, whole(&jpeg, scale)).unwrap();
        for _ in 0..8 {
            let (left, top) = (random(0, width), random(0, height));
            let region = Region {
                left,
                top,
                width: random(1, width - left + 1),
                height: random(1, height - top + 1),
            };
            let part = jpeg.decode(scale, region).unwrap();
            let row_bytes = part.width() as usize * 3;
            let expected = (top..top + region.height).flat_map(|y| {
                let at = (y as usize * width as usize + left as usize) * 3;
                &all.pixels()[at..at + row_bytes]
            });
            assert!(
                part.pixels().iter().eq(expected),
                "{file} {scale:?} {region:?}"
            );
        }
    }
}

#[test]
fn what_it_does_not_know_it_leaves_to_others() {
    for file in ["unsupported/progressive.jpg", "unsupported/cmyk.jpg"] {
        let bytes = std::fs::read(golden(file)).unwrap();
        assert!(
            matches!(Jpeg::parse(&bytes), Err(Error::Unsupported(_))),
            "{file}"
        );
    }
}

#[test]
fn regions_outside_the_picture_are_refused() {
    let bytes = std::fs::read(golden("420-67x45-q95.jpg")).unwrap();
    let jpeg = Jpeg::parse(&bytes).unwrap();
    let region = |left, top, width, height| Region {
        left,
        top,
        width,
        height,
    };
    for outside in [
        region(0, 0, 35, 1),
        region(0, 0, 1, 24),
        region(34, 0, 1, 1),
        region(u32::MAX, 0, 1, 1),
        region(0, 0, 0, 1),
        region(0, 0, 1, 0),
    ] {
        assert_eq!(
            jpeg.decode(Scale::Half, outside),
            Err(Error::OutsidePicture {
                width: 34,
                height: 23
            }),
            "{outside:?}"
        );
    }
}
