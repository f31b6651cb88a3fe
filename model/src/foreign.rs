//! Recognises formats that are not decoded, so that the error can say what was sent and how to convert it.

mod text;

use std::fmt::{self, Display, Formatter};

/// A format that is identified, but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignFormat {
    /// The name in the error's metadata: `HEIC`, `base64`.
    pub name: &'static str,
    /// A description of the bytes, with an article.
    what: &'static str,
    /// What the caller can do.
    remedy: &'static str,
}

impl Display for ForeignFormat {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { what, remedy, .. } = self;
        write!(formatter, "this is {what}, which is not accepted: {remedy}")
    }
}

const fn format(name: &'static str, what: &'static str, remedy: &'static str) -> ForeignFormat {
    ForeignFormat { name, what, remedy }
}

const OPEN_AND_EXPORT: &str = "open it in an image viewer and save it as JPEG or PNG";
const SEND_A_FRAME: &str = "send a single frame of it as JPEG or PNG";
const SEND_A_PAGE: &str = "save the page or image that you want as JPEG or PNG";
const UNPACK: &str = "unpack it and send each image by itself";
const DEVELOP: &str = "develop it in the camera's software and save it as JPEG";

const HEIC: ForeignFormat = format(
    "HEIC",
    "a HEIC image",
    "save it as JPEG; iPhones take JPEG photos with Settings > Camera > Formats > Most Compatible",
);
const AVIF: ForeignFormat = format("AVIF", "an AVIF image", OPEN_AND_EXPORT);
const VIDEO: ForeignFormat = format("video", "a video", SEND_A_FRAME);
const RAW_PHOTO: ForeignFormat = format("raw photo", "a raw photo", DEVELOP);
const JPEG_XL: ForeignFormat = format(
    "JPEG XL",
    "a JPEG XL image",
    "convert it to JPEG or PNG, for example with djxl",
);
const JPEG_2000: ForeignFormat = format("JPEG 2000", "a JPEG 2000 image", OPEN_AND_EXPORT);
const JPEG_XR: ForeignFormat = format("JPEG XR", "a JPEG XR image", OPEN_AND_EXPORT);
const SOUND: ForeignFormat = format("sound", "a sound file", "send an image");
const AS_TEXT: ForeignFormat = format(
    "image as text",
    "an image that was read as text, which destroys it",
    "read the file as binary and send its bytes unchanged",
);

/// The first bytes of each format.
const SIGNATURES: [(&[u8], ForeignFormat); 34] = [
    (b"\xFF\x0A", JPEG_XL),
    (b"\0\0\0\x0CJXL \r\n\x87\n", JPEG_XL),
    (b"\0\0\0\x0CjP  \r\n\x87\n", JPEG_2000),
    (b"\xFF\x4F\xFF\x51", JPEG_2000),
    (b"II\xBC\x01", JPEG_XR),
    (b"%PDF-", format("PDF", "a PDF document", SEND_A_PAGE)),
    (
        b"%!PS",
        format("PostScript", "a PostScript document", SEND_A_PAGE),
    ),
    (
        b"\xC5\xD0\xD3\xC6",
        format("PostScript", "a PostScript document", SEND_A_PAGE),
    ),
    (
        b"8BPS",
        format("PSD", "a Photoshop document", "export it as JPEG or PNG"),
    ),
    (
        b"gimp xcf",
        format("XCF", "a GIMP document", "export it as JPEG or PNG"),
    ),
    (b"icns", format("ICNS", "an Apple icon", OPEN_AND_EXPORT)),
    (b"DDS ", format("DDS", "a DDS texture", OPEN_AND_EXPORT)),
    (
        b"\x76\x2F\x31\x01",
        format("OpenEXR", "an OpenEXR image", OPEN_AND_EXPORT),
    ),
    (
        b"#?RADIANCE",
        format("Radiance HDR", "a Radiance HDR image", OPEN_AND_EXPORT),
    ),
    (
        b"#?RGBE",
        format("Radiance HDR", "a Radiance HDR image", OPEN_AND_EXPORT),
    ),
    (
        b"farbfeld",
        format("farbfeld", "a farbfeld image", OPEN_AND_EXPORT),
    ),
    (b"BPG\xFB", format("BPG", "a BPG image", OPEN_AND_EXPORT)),
    (b"FLIF", format("FLIF", "a FLIF image", OPEN_AND_EXPORT)),
    (b"AT&TFORM", format("DjVu", "a DjVu document", SEND_A_PAGE)),
    (
        b"\xD7\xCD\xC6\x9A",
        format("WMF", "a Windows metafile", OPEN_AND_EXPORT),
    ),
    (b"FUJIFILMCCD-RAW", RAW_PHOTO),
    (b"IIRO", RAW_PHOTO),
    (b"IIU\0", RAW_PHOTO),
    (b"\x1A\x45\xDF\xA3", VIDEO),
    (b"\0\0\x01\xBA", VIDEO),
    (b"\0\0\x01\xB3", VIDEO),
    (b"FLV\x01", VIDEO),
    (
        b"OggS",
        format("Ogg", "an Ogg sound or video", "send an image"),
    ),
    (b"ID3", SOUND),
    (
        b"PK\x03\x04",
        format("ZIP", "a ZIP archive or an office document", UNPACK),
    ),
    (b"\x1F\x8B", format("gzip", "a gzip archive", UNPACK)),
    (b"7z\xBC\xAF\x27\x1C", format("7z", "a 7z archive", UNPACK)),
    (b"Rar!\x1A\x07", format("RAR", "a RAR archive", UNPACK)),
    // U+FFFD in UTF-8: a program read the image as text, and replaced the bytes that are not valid in text.
    (b"\xEF\xBF\xBD", AS_TEXT),
];

/// Recognises the format of `bytes` by how they begin. Call it only for bytes in none of the formats that are decoded.
pub(crate) fn identify(bytes: &[u8]) -> Option<ForeignFormat> {
    let signature = SIGNATURES
        .iter()
        .find(|(signature, _)| bytes.starts_with(signature));
    let found = signature.map(|&(_, format)| format);
    found
        .or_else(|| media_container(bytes))
        .or_else(|| text::identify(bytes))
}

/// Recognises a raw photo that begins like a TIFF image. It is not decoded as one, because a TIFF reader would find only a
/// tiny preview.
pub(crate) fn raw_photo(bytes: &[u8]) -> Option<ForeignFormat> {
    (bytes.starts_with(b"II*\0") && bytes.get(8..10) == Some(b"CR")).then_some(RAW_PHOTO)
}

/// Formats in the boxes of the ISO base media format, and RIFF formats other than WebP.
fn media_container(bytes: &[u8]) -> Option<ForeignFormat> {
    match (bytes.get(..4)?, bytes.get(4..8)?, bytes.get(8..12)?) {
        (b"RIFF", _, b"WAVE") => Some(SOUND),
        (b"RIFF", _, b"AVI ") => Some(VIDEO),
        (_, b"ftyp", b"avif" | b"avis") => Some(AVIF),
        (_, b"ftyp", b"crx ") => Some(RAW_PHOTO),
        (_, b"ftyp", b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis") => Some(HEIC),
        (_, b"ftyp", b"mif1" | b"msf1" | b"miaf") => Some(compatible_brand(bytes)),
        (_, b"ftyp", b"jp2 " | b"jpx ") => Some(JPEG_2000),
        (_, b"ftyp", b"jxl ") => Some(JPEG_XL),
        (_, b"ftyp", b"M4A ") => Some(SOUND),
        (_, b"ftyp" | b"moov" | b"mdat" | b"wide", _) => Some(VIDEO),
        _ => None,
    }
}

/// The format of an image whose main brand names only the container.
fn compatible_brand(bytes: &[u8]) -> ForeignFormat {
    let length = bytes
        .first_chunk()
        .map_or(0, |length| u32::from_be_bytes(*length));
    let length = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let (brands, _) = bytes[..length]
        .get(16..)
        .unwrap_or_default()
        .as_chunks::<4>();
    if brands.contains(b"avif") { AVIF } else { HEIC }
}

#[cfg(test)]
mod tests;
