use ::tiff::tags::CompressionMethod;
use image::ImageFormat;

use crate::{InvalidImage, error::undecodable_because};

/// The methods that are decoded.
const SUPPORTED: [CompressionMethod; 7] = [
    CompressionMethod::None,
    CompressionMethod::Fax4,
    CompressionMethod::LZW,
    CompressionMethod::ModernJPEG,
    CompressionMethod::Deflate,
    CompressionMethod::OldDeflate,
    CompressionMethod::PackBits,
];

/// # Errors
/// [`InvalidImage::Undecodable`], with the method's name, if it is not supported.
pub(super) fn check(method: u32) -> Result<(), InvalidImage> {
    if SUPPORTED
        .iter()
        .any(|known| u32::from(known.to_u16()) == method)
    {
        return Ok(());
    }
    let name = name(method).map_or_else(|| format!("method {method}"), str::to_owned);
    let reason = format!(
        "the TIFF is compressed with {name}, which is not supported: save it as PNG, or as TIFF with LZW"
    );
    Err(undecodable_because(ImageFormat::Tiff, reason))
}

/// The numbers are those of libtiff.
fn name(method: u32) -> Option<&'static str> {
    Some(match method {
        2 | 32_771 => "CCITT RLE",
        3 => "CCITT group 3",
        6 => "the JPEG of TIFF 6.0",
        9 | 10 | 34_661 => "JBIG",
        32_766 => "NeXT RLE",
        32_809 => "ThunderScan",
        33_003 | 33_005 | 34_712 => "JPEG 2000",
        34_676 | 34_677 => "SGI LogLuv",
        34_887 => "LERC",
        34_925 => "LZMA",
        50_000 => "Zstandard",
        50_001 => "WebP",
        50_002 | 52_546 => "JPEG XL",
        _ => return None,
    })
}
