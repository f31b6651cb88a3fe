//! The format of an image, read off its first bytes: media types and file names can be wrong.

/// Enough to tell every format. An SVG may begin with comments and entities.
pub(crate) const HEAD_BYTES: i32 = 4 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    WebP,
    /// One of those that some browsers display and few servers decode.
    Browser(BrowserFormat),
    /// Any other image; the server decides whether it can decode it.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrowserFormat {
    Avif,
    Heic,
    JpegXl,
    Svg,
}

impl Format {
    /// `None` if the format is unknown; the bytes may still be an image.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
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
            [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => {
                Some(Self::Browser(BrowserFormat::JpegXl))
            }
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => iso_media(head).map(Self::Browser),
            [0xff, 0xd8, 0xff, ..]
            | [0x89, b'P', b'N', b'G', ..]
            | [b'G', b'I', b'F', b'8', ..]
            | [b'B', b'M', ..]
            | [b'I', b'I', b'*', 0, ..]
            | [b'M', b'M', 0, b'*', ..]
            | [0, 0, 1 | 2, 0, ..]
            | [b'q', b'o', b'i', b'f', ..]
            | [b'P', b'1'..=b'7', b' ' | b'\t' | b'\n' | b'\r', ..]
            | [0, 0, 0, 12, b'j', b'P', ..] => Some(Self::Other),
            _ => is_svg(head).then_some(Self::Browser(BrowserFormat::Svg)),
        }
    }
}

impl BrowserFormat {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::JpegXl => "image/jxl",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// By the brands in the file type box (ISO/IEC 14496-12). `mif1` alone says only that there are images.
fn iso_media(head: &[u8]) -> Option<BrowserFormat> {
    let &[a, b, c, d, ..] = head else { return None };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let brands = head.get(8..length.min(head.len()))?;
    let has = |wanted: &[&[u8; 4]]| {
        let mut brands = brands.chunks_exact(4);
        brands.any(|brand| wanted.iter().any(|wanted| brand == wanted.as_slice()))
    };
    if has(&[b"avif", b"avis"]) {
        Some(BrowserFormat::Avif)
    } else if has(&[
        b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1",
    ]) {
        Some(BrowserFormat::Heic)
    } else {
        None
    }
}

/// Whether it begins as an XML document whose first element is `svg`. Comments and declarations may come before it.
fn is_svg(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?") || rest.starts_with("<!") || rest.starts_with(']') {
            ">"
        } else {
            let name = rest.strip_prefix("<svg");
            return name
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()));
        };
        let Some((_, after)) = rest.split_once(end) else {
            return false;
        };
        rest = after.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_identified_by_the_first_bytes() {
        use BrowserFormat::{Avif, Heic, JpegXl, Svg};
        let cases: [(&[u8], Option<Format>); 20] = [
            (b"\xff\xd8\xff\xe0", Some(Format::Other)),
            (b"II*\0", Some(Format::Other)),
            (b"P3\n# ascii", Some(Format::Other)),
            (b"qoif\0", Some(Format::Other)),
            (b"\0\0\x01\0\x01\0", Some(Format::Other)),
            (b"RIFFxxxxWEBPVP8 ", Some(Format::WebP)),
            (b"RIFFxxxxWAVEfmt ", None),
            (
                b"\0\0\0\x1cftypavif\0\0\0\0mif1miaf",
                Some(Format::Browser(Avif)),
            ),
            (
                b"\0\0\0\x18ftypmif1\0\0\0\0avifmiaf",
                Some(Format::Browser(Avif)),
            ),
            (
                b"\0\0\0\x18ftypmif1\0\0\0\0heicmiaf",
                Some(Format::Browser(Heic)),
            ),
            (b"\0\0\0\x14ftypisom\0\0\0\0mp41avif", None), // the brand lies outside the box
            (b"\0\0\0\x0cJXL \r\n\x87\n", Some(Format::Browser(JpegXl))),
            (b"\xff\x0a\xff", Some(Format::Browser(JpegXl))),
            (b"<svg xmlns='", Some(Format::Browser(Svg))),
            (
                b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <svg> --><!DOCTYPE svg>\n<svg>",
                Some(Format::Browser(Svg)),
            ),
            (
                b"<!DOCTYPE svg [ <!ENTITY ns 'http://ns.example'> ]><svg ",
                Some(Format::Browser(Svg)),
            ),
            (b"<!DOCTYPE html><html><svg>", None),
            (b"<svgs>", None),
            (b"Not an image.", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            let text = String::from_utf8_lossy(head);
            assert_eq!(Format::of(head), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_cut_off_does_no_harm() {
        for whole in [
            &b"\0\0\0\x1cftypavif\0\0\0\0mif1miaf"[..],
            b"<?xml version='1.0'?><!-- note --><svg",
            b"\xff\xff\xff\xffftypheic",
        ] {
            for end in 0..whole.len() {
                let _ = Format::of(&whole[..end]);
            }
        }
    }
}
