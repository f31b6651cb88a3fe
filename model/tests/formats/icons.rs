//! What an icon says of its images.

use std::fs;

use image::RgbImage;
use imageclassifier_model::Input;

use super::{WHITE, decode, expected, folder, input};

/// An icon with these PNGs, all said to be of the same size and depth.
fn icon(images: &[&[u8]]) -> Vec<u8> {
    let count = u8::try_from(images.len()).unwrap();
    let mut icon = vec![0, 0, 1, 0, count, 0];
    let mut begin = icon.len() + 16 * images.len();
    for image in images {
        icon.extend([40, 30, 0, 0, 1, 0, 32, 0]);
        let place = [image.len(), begin].map(|value| u32::try_from(value).unwrap().to_le_bytes());
        icon.extend(place.concat());
        begin += image.len();
    }
    [icon, images.concat()].concat()
}

#[test]
fn of_equal_images_of_an_icon_the_first_is_shown() {
    let [same, few] =
        ["same", "few"].map(|name| fs::read(folder().join(format!("source-{name}.png"))).unwrap());
    let shown = Input::prepare(&decode(&icon(&[&same, &few])).unwrap());
    assert!(shown == input(&expected("same-").unwrap()));
    let shown = Input::prepare(&decode(&icon(&[&few, &same])).unwrap());
    assert!(shown == input(&expected("few-").unwrap()));
}

#[test]
fn an_icon_is_not_turned() {
    let png = fs::read(folder().join("source-same.png")).unwrap();
    let chunk = [
        b"eXIfII*\0\x08\0\0\0".as_slice(),
        b"\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
    ]
    .concat();
    let length = u32::try_from(chunk.len() - 4).unwrap().to_be_bytes();
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    // The signature and the header are 33 bytes.
    let (head, rest) = png.split_at(33);
    let turned = [head, &length, &chunk, &crc.sum().to_be_bytes(), rest].concat();
    let crop = decode(&turned).unwrap().crop().unwrap();
    assert_eq!((crop.image_width, crop.image_height), (30, 40));
    let shown = Input::prepare(&decode(&icon(&[&turned])).unwrap());
    assert!(shown == input(&expected("same-").unwrap()));
}

#[test]
fn alpha_in_an_icon_replaces_its_mask() {
    let masked = |name| {
        let mut icon = fs::read(folder().join(name)).unwrap();
        let mask = icon.len() - 8 * 30;
        icon[mask..].fill(u8::MAX);
        Input::prepare(&decode(&icon).unwrap())
    };
    assert!(masked("same-bmp-32.ico") == input(&expected("same-").unwrap()));
    let white = RgbImage::from_pixel(40, 30, WHITE);
    assert!(masked("same-bmp-32-without-alpha.ico") == input(&white));
}
