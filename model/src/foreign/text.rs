use super::{ForeignFormat, format};

/// How much of a text is examined.
const HEAD_BYTES: usize = 1024;

const SVG: ForeignFormat = format(
    "SVG",
    "an SVG drawing",
    "export it as PNG, for example from a browser or from Inkscape",
);
const HTML: ForeignFormat = format(
    "HTML",
    "a web page",
    "send the image file itself; a download may have led to a page that asks to log in",
);
const BASE64: ForeignFormat = format(
    "base64",
    "an image in base64",
    "decode it and send the bytes; only JSON fields of type bytes are base64",
);
const DATA_URL: ForeignFormat = format(
    "data URL",
    "a data URL",
    "decode what follows \"base64,\" and send the bytes",
);
const URL: ForeignFormat = format(
    "URL",
    "the address of an image",
    "download the image and send its bytes",
);
const LFS_POINTER: ForeignFormat = format(
    "Git LFS pointer",
    "a Git LFS pointer, not the file it stands for",
    "fetch the file with `git lfs pull`",
);
const FORM: ForeignFormat = format(
    "multipart form",
    "a whole multipart form",
    "send the image's bytes alone, or give the form's content type",
);

/// How images begin in base64: JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC and other boxes.
const BASE64_BEGINNINGS: [&str; 9] = [
    "/9j/",
    "iVBORw0KGgo",
    "R0lGODdh",
    "R0lGODlh",
    "UklGR",
    "Qk",
    "SUkqA",
    "TU0AK",
    "AAAA",
];

/// Recognises kinds of text that are sent in place of an image.
pub(super) fn identify(bytes: &[u8]) -> Option<ForeignFormat> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    // UTF-16 texts begin with a byte order mark, and every other byte is zero.
    let narrow: Vec<u8>;
    let head = if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        narrow = head[2..]
            .iter()
            .copied()
            .filter(|&byte| byte != 0)
            .collect();
        &narrow
    } else {
        head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head)
    };
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start().trim_start_matches(['"', '\'']);
    let lower = text.to_ascii_lowercase();
    let begins = |word: &str| lower.starts_with(word);
    if begins("data:") {
        Some(DATA_URL)
    } else if begins("http://") || begins("https://") {
        Some(URL)
    } else if begins("version https://git-lfs") {
        Some(LFS_POINTER)
    } else if begins("<") && lower.contains("<svg") {
        Some(SVG)
    } else if begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body") {
        Some(HTML)
    } else if begins("<?xml") {
        Some(format("XML", "an XML document", "send an image file"))
    } else if begins("--") && lower.contains("content-disposition:") {
        Some(FORM)
    } else if is_base64(text) {
        Some(BASE64)
    } else if begins("{") || begins("[") {
        is_text(head).then(|| format("JSON", "a JSON text", "send an image file"))
    } else {
        None
    }
}

fn is_base64(text: &str) -> bool {
    const LETTERS_MIN: usize = 16;
    let known = BASE64_BEGINNINGS
        .iter()
        .any(|known| text.starts_with(known));
    let letters = text.trim_end_matches(['"', '\'', '\u{FFFD}']).bytes();
    known
        && text.len() >= LETTERS_MIN
        && letters.into_iter().all(|byte| {
            byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=-_".contains(&byte)
        })
}

fn is_text(head: &[u8]) -> bool {
    head.iter()
        .all(|&byte| byte >= b' ' || byte.is_ascii_whitespace())
}
