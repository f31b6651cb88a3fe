//! Every format, dialect and kind of damage gives the pixels that it should. `fuzz/seeds/formats.py` makes the files, says in
//! their names what they have to be decoded to, and holds that against Pillow.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{ImageFormat, Rgb, RgbImage};
use imageclassifier_model::{DecodedImage, EncodedImage, Input, InvalidImage};

const BYTES_MAX: u64 = 10 << 20;
const PIXELS_MAX: u64 = 25_000_000;
/// Of the images' 30 rows the network then sees 26.
const SIZE: u32 = 224;
const WHITE: Rgb<u8> = Rgb([255; 3]);
/// Files whose names say what they have to be decoded to: a number that notices when they are not found.
const FILES_MIN: usize = 100;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/formats")
}

/// Names and content.
fn files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let files = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files.map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(file).unwrap())
    })
}

fn decode(bytes: &[u8]) -> Result<DecodedImage, InvalidImage> {
    DecodedImage::decode(&EncodedImage::new(bytes, BYTES_MAX)?, PIXELS_MAX, SIZE)
}

/// The expected result, from the file's name. `None` for names that state none.
fn expected(name: &str) -> Option<RgbImage> {
    let (kind, rest) = name.split_once('-')?;
    let (source, rows) = match kind {
        "top" | "bottom" => ("same", Some(name)),
        "same" | "grey" | "few" | "few16" | "bits" | "odd" => (kind, Some(rest)),
        _ => return None,
    };
    let file = fs::read(folder().join(format!("source-{source}.png"))).unwrap();
    let mut image = image::load_from_memory(&file).unwrap().into_rgb8();
    let mut words = rows?.split('-');
    let direction = words.next()?;
    let present: Option<u32> = words.next().and_then(|word| word.parse().ok());
    if let (Some(present), "top" | "bottom") = (present, direction) {
        let height = image.height();
        for (_, y, pixel) in image.enumerate_pixels_mut() {
            let is_there = if direction == "top" {
                y < present
            } else {
                y >= height - present
            };
            if !is_there {
                *pixel = WHITE;
            }
        }
    }
    Some(image)
}

fn input(image: &RgbImage) -> Input {
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    Input::prepare(&decode(png.get_ref()).unwrap())
}

#[test]
fn every_dialect_gives_the_pixels_that_it_should() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (name, bytes) in files() {
        let Some(expected) = expected(&name) else {
            continue;
        };
        compared += 1;
        match decode(&bytes) {
            Err(error) => wrong.push(format!("{name}: {error:?}")),
            Ok(decoded) => {
                let crop = decoded.crop().unwrap();
                if (crop.image_width, crop.image_height) != expected.dimensions() {
                    wrong.push(format!("{name}: {crop:?}"));
                } else if Input::prepare(&decoded) != input(&expected) {
                    wrong.push(format!("{name}: other pixels"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= FILES_MIN, "{compared}");
}

#[test]
fn a_jpeg_in_a_tiff_is_decoded() {
    let expected = input(&expected("same-").unwrap());
    let bytes = fs::read(folder().join("like-jpeg.tif")).unwrap();
    let actual = Input::prepare(&decode(&bytes).unwrap());
    let pairs = actual.values().iter().zip(expected.values());
    let mean = pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / expected.values().len() as f32;
    assert!(mean < 0.05, "{mean}");
}

#[test]
fn what_is_cut_too_short_says_so() {
    let mut seen = 0;
    for (name, bytes) in files().filter(|(name, _)| name.starts_with("cut-")) {
        let error = decode(&bytes).unwrap_err();
        assert!(
            matches!(
                error,
                InvalidImage::Truncated {
                    rows: 30,
                    rows_present: 0..=2
                }
            ),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains("truncated"), "{error}");
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

/// Cut anywhere, a file is decoded or rejected; it never shows other rows than whole ones.
#[test]
fn files_cut_anywhere_are_decoded_or_rejected() {
    for name in [
        "same-plain.tga",
        "same-binary.ppm",
        "same-rgb.qoi",
        "same-planes-0.bmp",
        "few-rle8.bmp",
        "same-interlaced.png",
        "few-interlaced.gif",
        "same-strips.tif",
        "same-bmp.ico",
        "long-lossy.webp",
    ] {
        let bytes = fs::read(folder().join(name)).unwrap();
        for end in (0..bytes.len()).step_by(bytes.len().div_ceil(60)) {
            let _ = decode(&bytes[..end]);
        }
    }
}

/// WebP is cut in the middle of data where nothing says which row that is.
#[test]
fn a_cut_webp_shows_the_rows_that_are_there() {
    for name in [
        "long-lossy.webp",
        "long-lossless.webp",
        "long-photo-lossless.webp",
    ] {
        let whole = fs::read(folder().join(name)).unwrap();
        let complete = Input::prepare(&decode(&whole).unwrap());
        let cut = Input::prepare(&decode(&whole[..whole.len() * 2 / 3]).unwrap());
        let row = (SIZE * 3) as usize;
        let rows = cut.values().chunks_exact(row);
        let same = rows.zip(complete.values().chunks_exact(row));
        let same = same.take_while(|(cut, complete)| cut == complete).count();
        let white = cut.values().rchunks_exact(row);
        let white = white
            .take_while(|row| row.iter().all(|&value| value == 1.0))
            .count();
        assert!(same > SIZE as usize / 4, "{name}: {same} rows");
        // Between them lies what one more row and the resize's filter touch.
        assert!(
            white > 0 && same + white >= SIZE as usize - 25,
            "{name}: {same} and {white} rows"
        );
    }
}
