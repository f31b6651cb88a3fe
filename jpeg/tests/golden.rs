//! The pixels are Pillow's (libjpeg-turbo's), bit for bit. `tests/golden/make.py` and `make_scans.py` make files and answers
//! anew.
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
    let of_one_scan = answers_in("");
    assert!(of_one_scan.len() > 200, "the golden answers are incomplete");
    let of_others = answers_in("scans/");
    assert!(of_others.len() > 500, "the golden answers are incomplete");
    of_one_scan.into_iter().chain(of_others).collect()
}

fn answers_in(folder: &str) -> Vec<(String, Scale, u32, u32, u64)> {
    let table = std::fs::read_to_string(golden(&format!("{folder}expected.csv"))).unwrap();
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
            format!("{folder}{}", cells[0]),
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

/// Files of the process, the precision and the components that a marker and a frame name.
#[test]
fn names_the_feature_that_it_lacks() {
    let bytes = std::fs::read(golden("420-67x45-q95.jpg")).unwrap();
    let at = bytes.windows(2).position(|m| m == [0xFF, 0xC0]).unwrap();
    let with = |offset: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[at + offset] = value;
        Jpeg::parse(&changed).map(drop).unwrap_err().to_string()
    };
    for (offset, value, feature) in [
        (1, 0xC3, "lossless coding"),
        (1, 0xC5, "hierarchical coding"),
        (1, 0xC9, "arithmetic coding"),
        (1, 0xCA, "arithmetic coding"),
        (1, 0xCB, "lossless arithmetic coding"),
        (1, 0xCF, "hierarchical arithmetic coding"),
        (4, 12, "samples of 12 bits"),
        (9, 2, "other than one, three or four components"),
    ] {
        assert_eq!(
            with(offset, value),
            format!("this JPEG uses {feature}; save it again as a baseline or progressive JPEG")
        );
    }
}

#[test]
fn names_sampling_factors_that_it_lacks() {
    let mut bytes = std::fs::read(golden("420-67x45-q95.jpg")).unwrap();
    let at = bytes.windows(2).position(|m| m == [0xFF, 0xC0]).unwrap();
    bytes[at + 11] = 0x31;
    bytes[at + 14] = 0x21;
    let jpeg = Jpeg::parse(&bytes).unwrap();
    let error = jpeg
        .decode(Scale::Full, whole(&jpeg, Scale::Full))
        .unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
}

#[test]
fn rejects_regions_outside_the_image() {
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
            Err(Error::OutsideImage {
                width: 34,
                height: 23
            }),
            "{outside:?}"
        );
    }
}
