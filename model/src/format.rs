use crate::formats::{bmp, tga};

/// The formats that are decoded, all by decoders in safe Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    /// A BMP without its file header, as on the Windows clipboard.
    Dib,
    Tiff,
    /// Windows icons and cursors.
    Ico,
    Qoi,
    Pnm,
    Tga,
}

/// Media types of the formats that are decoded. Only the first frame of an animation counts, the first page of a document,
/// and the largest image of an icon.
pub const MEDIA_TYPES: [&str; 10] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/vnd.microsoft.icon",
    "image/qoi",
    "image/x-portable-anymap",
    "image/x-tga",
];

impl Format {
    /// What the names of its files end with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Dib => "dib",
            Self::Tiff => "tiff",
            Self::Ico => "ico",
            Self::Qoi => "qoi",
            Self::Pnm => "pnm",
            Self::Tga => "tga",
        }
    }

    /// Recognises the format of `bytes` by how they begin. Formats without a signature, TGA and headerless BMP, come last;
    /// they need a plausible header and as many bytes as it says.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'q', b'o', b'i', b'f', ..] => Some(Self::Qoi),
            [b'I', b'I', 0x2A | 0x2B, 0, ..] | [b'M', b'M', 0, 0x2A | 0x2B, ..] => Some(Self::Tiff),
            // An icon or a cursor, of 1 to 255 images.
            [0, 0, 1 | 2, 0, 1..=u8::MAX, 0, ..] => Some(Self::Ico),
            [b'P', b'1'..=b'7', next, ..] if next.is_ascii_whitespace() || *next == b'#' => {
                Some(Self::Pnm)
            }
            [b'B', b'M', ..] if bmp::has_file_header(bytes) => Some(Self::Bmp),
            _ if bmp::is_plausible_without_file_header(bytes) => Some(Self::Dib),
            _ if tga::is_plausible(bytes) => Some(Self::Tga),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_format() {
        let extension = |bytes: &[u8]| Format::parse(bytes).map(Format::extension);
        for (bytes, expected) in [
            (&b"\xFF\xD8\xFF"[..], "jpg"),
            (b"\x89PNG\r\n\x1A\n", "png"),
            (b"RIFF\0\0\0\0WEBP", "webp"),
            (b"GIF87a", "gif"),
            (b"GIF89a", "gif"),
            (b"BM", "bmp"),
            (b"II\x2A\0", "tiff"),
            (b"MM\0\x2B", "tiff"),
            (b"\0\0\x01\0\x01\0", "ico"),
            (b"\0\0\x02\0\xFF\0", "ico"),
            (b"qoif", "qoi"),
            (b"P1\n", "pnm"),
            (b"P7#", "pnm"),
        ] {
            assert_eq!(extension(bytes), Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn text_that_begins_like_a_signature_is_no_image() {
        for text in ["P5x 40 30", "P8 40 30", "BM is short for bitmap.", "GIF88a"] {
            assert_eq!(Format::parse(text.as_bytes()), None, "{text}");
        }
    }
}
