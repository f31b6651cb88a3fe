//! Which bytes are accepted as an image and how it becomes an input, whatever its format.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Cursor;

use image::{
    DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, metadata::Orientation,
};
use imageclassifier_model::{DecodedImage, EncodedImage, Input, InvalidImage};

const BYTES_MAX: u64 = 10 << 20;
const PIXELS_MAX: u64 = 25_000_000;
const SIZE: u32 = 32;

fn decode(bytes: &[u8]) -> Result<DecodedImage, InvalidImage> {
    DecodedImage::decode(&EncodedImage::new(bytes, BYTES_MAX)?, PIXELS_MAX, SIZE)
}

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn input(image: &DynamicImage, format: ImageFormat) -> Input {
    Input::prepare(&decode(&encode(image, format)).unwrap())
}

/// A smooth image: colours fall to the right, rise downwards.
fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let share = |part, whole| u8::try_from(part * 255 / whole).unwrap();
        Rgb([255 - share(x, width), share(y, height), 128])
    })
}

/// Every value of `colour` everywhere.
fn assert_uniform(input: &Input, colour: [f32; 3]) {
    for pixel in input.values().chunks_exact(3) {
        assert_eq!(pixel, colour.map(|value| (value - 127.0) / 128.0));
    }
}

#[test]
fn every_format_gives_the_same_input() {
    let image = DynamicImage::from(gradient(90, 60));
    let expected = input(&image, ImageFormat::Png);
    for format in [ImageFormat::Bmp, ImageFormat::WebP] {
        assert_eq!(input(&image, format), expected, "{format:?}");
    }
    // Colours are lossy: close, not equal.
    for (format, tolerance) in [(ImageFormat::Jpeg, 0.1), (ImageFormat::Gif, 0.2)] {
        let actual = input(&image, format);
        let differences = actual
            .values()
            .iter()
            .zip(expected.values())
            .map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0.0, f32::max);
        assert!(largest < tolerance, "{format:?}: {largest}");
    }
}

#[test]
fn grey_alpha_and_16_bit_become_rgb() {
    let (w, h) = (40, 50);
    let cases: [(DynamicImage, [f32; 3]); 7] = [
        (
            ImageBuffer::from_pixel(w, h, Luma([70u8])).into(),
            [70.0; 3],
        ),
        (
            ImageBuffer::from_pixel(w, h, Luma([70u16 * 257])).into(),
            [70.0; 3],
        ),
        (
            ImageBuffer::from_pixel(w, h, LumaA([70u8, 255])).into(),
            [70.0; 3],
        ),
        (
            ImageBuffer::from_pixel(w, h, Rgb([257u16 * 10, 257 * 20, 257 * 30])).into(),
            [10.0, 20.0, 30.0],
        ),
        (
            ImageBuffer::from_pixel(w, h, Rgba([10u8, 20, 30, 255])).into(),
            [10.0, 20.0, 30.0],
        ),
        // Transparent pixels show white, whatever colour they hide.
        (
            ImageBuffer::from_pixel(w, h, Rgba([10u8, 20, 30, 0])).into(),
            [255.0; 3],
        ),
        (
            ImageBuffer::from_pixel(w, h, Rgba([0u16, 0, 0, 0x8080])).into(),
            [127.0; 3],
        ),
    ];
    for (image, colour) in cases {
        assert_uniform(&input(&image, ImageFormat::Png), colour);
    }
}

#[test]
fn all_eight_exif_orientations_look_the_same() {
    let upright = DynamicImage::from(gradient(120, 80));
    let expected = input(&upright, ImageFormat::Png);
    for exif in 1..=8u8 {
        let stored = turned_back(&upright, exif);
        let png = png_with_exif(&encode(&stored, ImageFormat::Png), exif);
        let actual = Input::prepare(&decode(&png).unwrap());
        assert_eq!(actual, expected, "orientation {exif}");
    }
}

#[test]
fn large_jpegs_look_the_same_scaled_down_while_decoding() {
    let upright = DynamicImage::from(gradient(1300, 900));
    for exif in 1..=8u8 {
        let stored = turned_back(&upright, exif);
        let jpeg = jpeg_with_exif(&encode(&stored, ImageFormat::Jpeg), exif);
        let encoded = EncodedImage::new(&jpeg, BYTES_MAX).unwrap();
        let whole = DecodedImage::decode_whole(&encoded, PIXELS_MAX, SIZE).unwrap();
        let scaled = DecodedImage::decode(&encoded, PIXELS_MAX, SIZE).unwrap();
        let (whole, scaled) = (Input::prepare(&whole), Input::prepare(&scaled));
        assert_ne!(whole, scaled, "not scaled at all, orientation {exif}");
        let pairs = whole.values().iter().zip(scaled.values());
        let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest <= 1.0 / 128.0, "orientation {exif}: {largest}");
    }
}

/// The image as stored that the Exif orientation turns into `upright`.
fn turned_back(upright: &DynamicImage, exif: u8) -> DynamicImage {
    let mut stored = upright.clone();
    stored.apply_orientation(match Orientation::from_exif(exif).unwrap() {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        own_inverse => own_inverse,
    });
    stored
}

/// Exif metadata that hold nothing but `orientation`.
fn exif(orientation: u8) -> Vec<u8> {
    [
        b"MM\0*\0\0\0\x08",                        // big-endian, first directory at 8
        b"\0\x01\x01\x12\0\x03\0\0".as_slice(),    // one entry: orientation, SHORT
        &[0, 1, 0, orientation, 0, 0, 0, 0, 0, 0], // one value; no further directory
    ]
    .concat()
}

/// The PNG with an eXIf chunk, put behind the header.
fn png_with_exif(png: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = exif(orientation);
    let mut chunk = b"eXIf".to_vec();
    chunk.extend(&tiff);
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    let header_end = 8 + 25;
    [
        &png[..header_end],
        &u32::try_from(tiff.len()).unwrap().to_be_bytes(),
        &chunk,
        &crc.sum().to_be_bytes(),
        &png[header_end..],
    ]
    .concat()
}

/// The JPEG with an Exif segment, put behind its first marker.
fn jpeg_with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let content = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &content, &jpeg[2..]].concat()
}

#[test]
fn accepts_an_image_of_one_pixel() {
    let one = DynamicImage::from(RgbImage::from_pixel(1, 1, Rgb([1, 2, 3])));
    assert_uniform(&input(&one, ImageFormat::Png), [1.0, 2.0, 3.0]);
}

type IsExpected = fn(&InvalidImage) -> bool;

#[test]
fn rejects_what_is_no_image_with_its_reason() {
    let png = encode(&gradient(20, 20).into(), ImageFormat::Png);
    let head = &png[..50];
    let cases: [(&str, &[u8], IsExpected); 7] = [
        ("nothing", b"", |e| matches!(e, InvalidImage::Empty)),
        ("text", b"hello, I am text", |e| {
            matches!(e, InvalidImage::UnknownFormat)
        }),
        ("text about BMW", b"BMW drivers and more", |e| {
            matches!(e, InvalidImage::UnknownFormat)
        }),
        (
            "HEIC",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            |e| matches!(e, InvalidImage::ForeignFormat(format) if format.name == "HEIC"),
        ),
        ("TIFF", b"II*\0rest of it", |e| {
            matches!(e, InvalidImage::Undecodable(_))
        }),
        ("a PNG's head", head, |e| {
            matches!(e, InvalidImage::Truncated { .. })
        }),
        ("a JPEG's first bytes", b"\xff\xd8\xff\xe0", |e| {
            matches!(e, InvalidImage::Jpeg(_))
        }),
    ];
    for (name, bytes, expected) in cases {
        let error = decode(bytes).unwrap_err();
        assert!(expected(&error), "{name}: {error:?}");
    }
}

#[test]
fn rejects_too_many_bytes() {
    let error = EncodedImage::new([0u8; 11], 10).unwrap_err();
    assert!(matches!(
        error,
        InvalidImage::TooLarge {
            bytes: 11,
            bytes_max: 10
        }
    ));
}

#[test]
fn rejects_too_many_pixels_from_the_header() {
    // A BMP header that promises 60000 x 60000 pixels and holds none.
    let mut bmp = encode(&gradient(1, 1).into(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    let error = decode(&bmp).unwrap_err();
    assert!(
        matches!(
            error,
            InvalidImage::Dimensions {
                width: 60_000,
                height: 60_000,
                ..
            }
        ),
        "{error:?}"
    );
}

/// The container says 40 x 30, the frame in it more.
#[test]
fn rejects_a_frame_of_too_many_pixels_from_its_header() {
    let webp = include_bytes!("../../fuzz/seeds/image/larger-frame.webp");
    match decode(webp) {
        Err(InvalidImage::Dimensions { width, height, .. }) => {
            assert_eq!((width, height), (16_383, 16_383));
        }
        other => panic!("{other:?}"),
    }
}

/// The animation says 40 x 29, its frames 40 x 30: the decoder would panic.
#[test]
fn rejects_frames_of_two_sizes() {
    let webp = include_bytes!("../../fuzz/seeds/image/two-sizes.webp");
    let error = decode(webp).unwrap_err();
    assert!(matches!(error, InvalidImage::Undecodable(_)), "{error:?}");
}

#[test]
fn a_webp_is_turned_by_its_exif_chunk_and_a_chunk_cut_off_is_none() {
    let webp = include_bytes!("../../fuzz/seeds/image/turned.webp");
    let crop = decode(webp).unwrap().crop().unwrap();
    assert_eq!((crop.image_width, crop.image_height), (30, 40));
    let length_at = webp.windows(4).position(|name| name == b"EXIF").unwrap() + 4;
    let mut damaged = webp.to_vec();
    damaged[length_at..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let crop = decode(&damaged).unwrap().crop().unwrap();
    assert_eq!((crop.image_width, crop.image_height), (40, 30));
}
