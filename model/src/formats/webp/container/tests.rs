use super::*;

const PRESENT: [u8; 50] = [7; 50];

/// A frame with dimensions, of which only the first bytes are there.
fn cut(name: &'static [u8; 4], length: usize) -> Container<'static> {
    Container {
        canvas: (40, 30),
        frame: None,
        alpha: None,
        image: Chunk {
            name,
            content: &PRESENT,
            length,
        },
        exif: None,
    }
}

/// The only chunk's content, and that every length in the file is right.
fn content(file: &[u8]) -> &[u8] {
    let (riff, rest) = file.split_at(CHUNK_HEAD_BYTES);
    let mut length = *riff.last_chunk::<4>().unwrap();
    assert_eq!(u32::from_le_bytes(length) as usize, rest.len());
    let (head, content) = file[HEAD_BYTES..].split_at(CHUNK_HEAD_BYTES);
    length = *head.last_chunk::<4>().unwrap();
    let length = u32::from_le_bytes(length) as usize;
    assert_eq!(content.len(), length + length % 2);
    &content[..length]
}

#[test]
fn a_lossy_frame_is_padded_to_four_times_its_length_with_random_bytes() {
    let container = cut(b"VP8 ", 101);
    let padded = [0, 1].map(|seed| container.padded(seed));
    let [first, second] = padded.each_ref().map(|file| content(file));
    assert_eq!((first.len(), second.len()), (404, 404));
    assert_eq!((&first[..50], &second[..50]), (&PRESENT[..], &PRESENT[..]));
    assert_ne!(first[50], second[50]);
    assert!(first[350..].iter().any(|&byte| byte != first[403]));
}

#[test]
fn a_lossless_frame_is_padded_to_four_times_its_length() {
    let padded = cut(b"VP8L", 100).padded(0);
    let content = content(&padded);
    assert_eq!(content.len(), 400);
    assert!(content[66..].iter().all(|&byte| byte == content[65]));
}

#[test]
fn a_frame_is_padded_to_at_most_sixteen_times_its_present_length() {
    for name in [b"VP8 ", b"VP8L"] {
        let padded = cut(name, usize::MAX).padded(0);
        assert_eq!(content(&padded).len(), 16 * 50);
    }
}

#[test]
fn the_padding_has_at_most_40_mebibytes() {
    let present = vec![7; 5 << 20];
    let mut container = cut(b"VP8L", usize::MAX);
    container.image.content = &present;
    assert_eq!(content(&container.padded(0)).len(), 45 << 20);
}
