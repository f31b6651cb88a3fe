use super::*;

fn name(bytes: &[u8]) -> &'static str {
    identify(bytes).map_or("", |format| format.name)
}

#[test]
fn names_what_is_sent_in_place_of_an_image() {
    let cases: [(&[u8], &str); 44] = [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2", "video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "raw photo"),
        (b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 ", "JPEG 2000"),
        (b"\0\0\0\x18ftypjpx \0\0\0\0jpx jp2 ", "JPEG 2000"),
        (b"\0\0\0\x14ftypjxl \0\0\0\0jxl ", "JPEG XL"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42", "sound"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "sound"),
        (b"\x1A\x45\xDF\xA3\x01", "video"),
        (b"\xFF\x0A\x58\x09", "JPEG XL"),
        (b"\0\0\0\x0CJXL \r\n\x87\n\0", "JPEG XL"),
        (b"\0\0\0\x0CjP  \r\n\x87\n\0", "JPEG 2000"),
        (b"\xFF\x4F\xFF\x51\0\x2F", "JPEG 2000"),
        (b"II\xBC\x01\x20", "JPEG XR"),
        (b"%PDF-1.7\n", "PDF"),
        (b"8BPS\0\x01", "PSD"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"\x1F\x8B\x08\0", "gzip"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG"),
        (b"<?xml version=\"1.0\"?>\n<!-- a -->\n<SVG/>", "SVG"),
        (b"\xEF\xBB\xBF <svg/>", "SVG"),
        (b"\xFF\xFE<\0s\0v\0g\0/\0>\0", "SVG"),
        (b"<!DOCTYPE html><title>Log in</title>", "HTML"),
        (b"\n<html lang=en>", "HTML"),
        (b"<?xml version=\"1.0\"?><Error/>", "XML"),
        (b"data:image/png;base64,iVBORw0KGgo=", "data URL"),
        (b"\"data:image/jpeg;base64,/9j/4AAQ\"", "data URL"),
        (b"/9j/4AAQSkZJRgABAQ==", "base64"),
        (b"iVBORw0KGgoAAAANSUhEUgAA", "base64"),
        (b"iVBORw0KGgoAAAAN\r\nSUhEUgAA", "base64"),
        (b"\"R0lGODlhAQABAIAAAAAA\"", "base64"),
        (b"https://photos.example/cat.jpg", "URL"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a",
            "Git LFS pointer",
        ),
        (
            b"--abc\r\nContent-Disposition: form-data; name=image\r\n\r\n\xFF\xD8",
            "multipart form",
        ),
        (b"{\"image_data\": \"\"}", "JSON"),
        (
            b"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\0\x10JFIF",
            "image as text",
        ),
        (b"hello, I am text", ""),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", ""),
        (b"", ""),
    ];
    for (bytes, expected) in cases {
        assert_eq!(name(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn says_what_it_is_and_what_to_do() {
    let error = identify(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    assert_eq!(
        error.to_string(),
        "this is a HEIC image, which is not accepted: save it as JPEG; iPhones take JPEG photos with Settings > Camera > Formats > Most Compatible"
    );
}

#[test]
fn a_canon_raw_photo_is_no_tiff() {
    assert_eq!(
        raw_photo(b"II*\0\x10\0\0\0CR\x02\0").unwrap().name,
        "raw photo"
    );
    assert_eq!(raw_photo(b"II*\0\x10\0\0\0\0\0\0\0"), None);
}
