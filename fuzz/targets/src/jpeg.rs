//! The JPEG decoder of this project, on its own.

use imageclassifier_jpeg::{Jpeg, Region, Rgb, Scale};

/// The most pixels of one decoded region, so that a run takes a millisecond or less. All seeds are below it.
const PIXELS_MAX: u64 = 1 << 15;
const RGB: usize = 3;

/// At every scale, each region of a valid image decodes to the same pixels as the whole image.
pub fn run(data: &[u8]) {
    let Ok(jpeg) = Jpeg::parse(data) else {
        return;
    };
    let hash = fnv1a(data);
    for scale in Scale::ALL {
        let (width, height) = jpeg.dimensions_at(scale);
        assert!(width > 0 && height > 0);
        let all = Region {
            left: 0,
            top: 0,
            width,
            height,
        };
        let whole = decode(&jpeg, scale, all);
        let thirds = Region {
            left: width / 3,
            top: height / 3,
            width: width.div_ceil(3),
            height: height.div_ceil(3),
        };
        for region in [thirds, any_region(width, height, hash)] {
            let part = decode(&jpeg, scale, region);
            if let Some(whole) = &whole {
                let part = part.expect("a part decodes if the whole does");
                assert_part(&part, region, whole);
            }
        }
    }
}

/// `None` if the region has too many pixels, or if the data of the region is corrupt.
fn decode(jpeg: &Jpeg<'_>, scale: Scale, region: Region) -> Option<Rgb> {
    let pixels = u64::from(region.width) * u64::from(region.height);
    if pixels > PIXELS_MAX {
        return None;
    }
    let rgb = jpeg.decode(scale, region).ok()?;
    assert_eq!((rgb.width(), rgb.height()), (region.width, region.height));
    assert_eq!(rgb.pixels().len() as u64, pixels * RGB as u64);
    Some(rgb)
}

fn assert_part(part: &Rgb, region: Region, whole: &Rgb) {
    let row_bytes = region.width as usize * RGB;
    let lines = whole.pixels().chunks_exact(whole.width() as usize * RGB);
    let lines = lines.skip(region.top as usize);
    for (part, whole) in part.pixels().chunks_exact(row_bytes).zip(lines) {
        let start = region.left as usize * RGB;
        assert!(
            part == &whole[start..start + row_bytes],
            "{region:?} differs from the same part of the whole image"
        );
    }
}

/// A region of the image that `hash` selects.
fn any_region(width: u32, height: u32, hash: u64) -> Region {
    let [a, b, c, d, ..] = hash.to_le_bytes().map(u32::from);
    let (left, top) = (width * a / 256, height * b / 256);
    Region {
        left,
        top,
        width: 1 + (width - left - 1) * c / 256,
        height: 1 + (height - top - 1) * d / 256,
    }
}

fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
