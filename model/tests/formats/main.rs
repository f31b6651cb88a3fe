//! Every format, dialect and kind of damage gives the pixels that it should. `fuzz/seeds/formats.py` makes the files, says in
//! their names what they have to be decoded to, and holds that against Pillow.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod icons;
mod webp;

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
const FILES_MIN: usize = 150;
/// Files of other names, and what the error says about them.
const REJECTED: [(&str, &str); 18] = [
    ("rejected-6-channels.tif", "colours of an unusual kind"),
    ("rejected-7-channels.tif", "too many channels"),
    (
        "rejected-damaged-strip.tif",
        "a kind of samples or compression",
    ),
    (
        "rejected-larger-jpeg.tif",
        "a JPEG larger than its strip or tile",
    ),
    (
        "rejected-larger-tile.tif",
        "tiles far larger than the image",
    ),
    ("rejected-end-before-frame.gif", "there is no frame"),
    ("rejected-jpeg.bmp", "an unsupported or damaged header"),
    (
        "rejected-os2-huffman.bmp",
        "an unsupported or damaged header",
    ),
    ("rejected-no-palette.png", "has no palette"),
    ("rejected-two-headers.png", "at most once"),
    ("rejected-cmyk.pam", "Tuple type"),
    ("rejected-size.pgm", "a damaged header"),
    ("rejected-text-cut.pgm", "Not enough data"),
    ("rejected-short-palette.tga", "color map index"),
    ("rejected-frame-head.webp", "a frame is of two sizes"),
    ("rejected-frame-size.webp", "a frame is of two sizes"),
    ("rejected-short-frame.webp", "Corrupt bitstream"),
    (
        "rejected-without-image.webp",
        "there is no image in the container",
    ),
];

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
        _ => (kind, Some(rest)),
    };
    if ["bomb", "cut", "like", "long", "rejected", "source"].contains(&source) {
        return None;
    }
    let file = fs::read(folder().join(format!("source-{source}.png")));
    let file = file.unwrap_or_else(|error| panic!("{name}: {error}"));
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
fn a_tiff_of_luminance_and_chroma_is_decoded() {
    let expected = input(&expected("same-").unwrap());
    for (name, difference_max) in [("like-jpeg.tif", 0.05), ("like-ycbcr.tif", 0.008)] {
        let bytes = fs::read(folder().join(name)).unwrap();
        let actual = Input::prepare(&decode(&bytes).unwrap());
        let pairs = actual.values().iter().zip(expected.values());
        let mean = pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / expected.values().len() as f32;
        assert!(mean < difference_max, "{name}: {mean}");
    }
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

#[test]
fn rejected_files_name_the_reason() {
    let mut wrong = Vec::new();
    for (name, expected) in REJECTED {
        let bytes = fs::read(folder().join(name)).unwrap();
        match decode(&bytes) {
            Err(InvalidImage::Undecodable(reason)) if reason.to_string().contains(expected) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Neither TGA nor a bitmap without its file header has a signature: what is inconsistent or far too short is no image.
#[test]
fn inconsistent_headers_are_of_no_known_format() {
    let mut wrong = Vec::new();
    let mut check = |what: &str, bytes: &[u8]| {
        let outcome = decode(bytes);
        if !matches!(outcome, Err(InvalidImage::UnknownFormat)) {
            wrong.push(format!("{what}: {outcome:?}"));
        }
    };
    let read = |name| fs::read(folder().join(name)).unwrap();
    // Map type, length of the map, bits of its colours, width, height, bits per pixel, descriptor.
    for (file, at, byte) in [
        ("same-no-footer.tga", 1, 2),
        ("same-no-footer.tga", 5, 1),
        ("same-no-footer.tga", 12, 0),
        ("same-no-footer.tga", 14, 0),
        ("same-no-footer.tga", 16, 23),
        ("same-no-footer.tga", 17, 0x60),
        ("rejected-short-palette.tga", 1, 0),
        ("rejected-short-palette.tga", 5, 0),
        ("rejected-short-palette.tga", 7, 23),
        ("rejected-short-palette.tga", 16, 16),
        // Width, height, planes, bits per pixel.
        ("same-headerless.dib", 4, 0),
        ("same-headerless.dib", 8, 0),
        ("same-headerless.dib", 12, 0),
        ("same-headerless.dib", 14, 23),
    ] {
        let mut bytes = read(file);
        bytes[at] = byte;
        check(&format!("{file}: {byte} at {at}"), &bytes);
    }
    let mut without_map = read("rejected-short-palette.tga");
    without_map[1..8].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0]);
    check("indices without a map", &without_map);
    // An eighth of its 30 rows, each with 117 bytes and 3 of padding, are 450 bytes.
    let odd = read("odd-no-last-padding.bmp");
    check("a cut bitmap", &odd[14..14 + 40 + 449]);
    assert!(decode(&odd[14..14 + 40 + 480]).is_ok());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A row is longer than the decoder's buffers for other chunks.
#[test]
fn a_wide_deep_png_is_decoded() {
    let image = image::ImageBuffer::from_pixel(60_000, 2, image::Rgba([u16::MAX, 0, 0, u16::MAX]));
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    assert!(decode(png.get_ref()).is_ok());
}

#[test]
fn a_tiff_of_other_depths_says_so() {
    let mut seen = 0;
    for (name, bytes) in files().filter(|(name, _)| name.ends_with("-bits.tif")) {
        if !name.starts_with("rejected-") {
            continue;
        }
        let InvalidImage::Undecodable(reason) = decode(&bytes).unwrap_err() else {
            panic!("{name}");
        };
        let (_, bits) = name.trim_end_matches("-bits.tif").rsplit_once('-').unwrap();
        let expected = format!("samples of {bits} bits");
        assert!(reason.to_string().contains(&expected), "{name}: {reason}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
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
        "same-planar-tiles.tif",
        "bits-group4.tif",
        "same-bmp.ico",
        "long-lossy.webp",
        "long-frame-alpha-lossy.webp",
        "long-frame-lossless.webp",
    ] {
        let bytes = fs::read(folder().join(name)).unwrap();
        for end in (0..bytes.len()).step_by(bytes.len().div_ceil(60)) {
            let _ = decode(&bytes[..end]);
        }
    }
}

/// Of an interlaced GIF that is cut, each missing row is the next one above that is there, of the eight that a line of the first
/// pass stands for.
#[test]
fn a_cut_interlaced_gif_shows_its_rows_coarsely() {
    let source = expected("few-").unwrap();
    let height = source.height();
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let order = passes.map(|(first, step)| (first..height).step_by(step));
    let order: Vec<u32> = order.into_iter().flatten().collect();
    let shown = |lines: usize| {
        let is_there = |row: &u32| order[..lines].contains(row);
        RgbImage::from_fn(source.width(), height, |x, y| {
            let mut above = (y - y % 8..=y).rev();
            let row = above.find(is_there);
            row.map_or(WHITE, |row| *source.get_pixel(x, row))
        })
    };
    let inputs: Vec<_> = (0..=order.len())
        .map(|lines| input(&shown(lines)))
        .collect();
    let bytes = fs::read(folder().join("few-interlaced.gif")).unwrap();
    let mut seen = Vec::new();
    // A line has some 45 bytes.
    for end in (bytes.len() / 3..bytes.len()).step_by(40) {
        if let Ok(decoded) = decode(&bytes[..end]) {
            let input = Input::prepare(&decoded);
            let lines = inputs.iter().position(|shown| *shown == input);
            seen.push(lines.unwrap_or_else(|| panic!("{end} bytes show other rows")));
        }
    }
    seen.dedup();
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn run_lengths_of_24_bits_need_no_os2_header() {
    let os2 = fs::read(folder().join("same-rle24.bmp")).unwrap();
    let (file_header, header, data) = (&os2[..14], &os2[14..14 + 40], &os2[14 + 64..]);
    let mut bitmap = [file_header, header, data].concat();
    bitmap[10] = 14 + 40;
    bitmap[14] = 40;
    let shown = Input::prepare(&decode(&bitmap).unwrap());
    assert!(shown == input(&expected("same-").unwrap()));
}
