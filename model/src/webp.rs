use memchr::memmem;

/// `RIFF`, a length, `WEBP`.
const CONTAINER_HEAD: usize = 12;
const EXIF: &[u8; 4] = b"EXIF";
/// Before a lossy frame's dimensions: the chunk's name and length, the frame's tag, and this.
const START_CODE: [u8; 3] = [0x9D, 0x01, 0x2A];
const CHUNK: &[u8] = b"VP8 ";
const START_CODE_AT: usize = 11;
const DIMENSIONS_AT: usize = START_CODE_AT + START_CODE.len();
const ANIMATION_FRAME: &[u8] = b"ANMF";
const ALPHA: &[u8; 4] = b"ALPH";
/// In the chunk of an animation's frame: its width less one, then its height less one, three bytes each.
const FRAME_WIDTH_AT: usize = 14;
const FRAME_HEIGHT_AT: usize = FRAME_WIDTH_AT + 3;
/// The chunks of the frame.
const FRAME_CONTENT_AT: usize = 24;

/// Widths and heights that the lossy frames in a WebP file say they have: they need not be the picture's, and the decoder
/// allocates and decodes a frame before it compares them (image-webp 0.2.4).
///
/// Frames are looked for in all bytes instead of where the container's chunks should lie, so that nobody can hide one by
/// chunks that two readers read differently.
pub(crate) fn lossy_frames(bytes: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let named = memmem::find_iter(bytes, CHUNK).filter_map(|at| dimensions(&bytes[at..]));
    named.chain(translucent_frames(bytes).map(|(_, lossy)| lossy))
}

/// Whether a translucent frame of an animation is of one size and its lossy picture of another: the decoder would look for
/// pixels where there are none, and panic (image-webp 0.2.4).
pub(crate) fn contradicts_itself(bytes: &[u8]) -> bool {
    translucent_frames(bytes).any(|(frame, lossy)| frame != lossy)
}

/// The sizes of an animation's frames that have an alpha chunk, and of the lossy picture behind it, whose chunk the decoder
/// takes by any name.
fn translucent_frames(bytes: &[u8]) -> impl Iterator<Item = ((u32, u32), (u32, u32))> {
    memmem::find_iter(bytes, ANIMATION_FRAME).filter_map(|at| {
        let frame = &bytes[at..];
        let width = length_less_one(frame, FRAME_WIDTH_AT)?;
        let height = length_less_one(frame, FRAME_HEIGHT_AT)?;
        let content = frame.get(FRAME_CONTENT_AT..)?.strip_prefix(ALPHA)?;
        let (length, content) = content.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let lossy = content.get(length.checked_next_multiple_of(2)?..)?;
        Some(((width, height), dimensions(lossy)?))
    })
}

fn length_less_one(bytes: &[u8], at: usize) -> Option<u32> {
    let &[low, middle, high] = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
}

/// What the file's Exif chunk holds. The decoder would allocate as much as the chunk says that it is long, up to 4 GiB, before
/// it read it (image-webp 0.2.4).
pub(crate) fn exif(file: &[u8]) -> Option<&[u8]> {
    let mut chunks = file.get(CONTAINER_HEAD..)?;
    loop {
        let (name, rest) = chunks.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if name == EXIF {
            return rest.get(..length);
        }
        chunks = rest.get(length.checked_next_multiple_of(2)?..)?;
    }
}

/// Two numbers of 14 bits, below two bits for scaling (RFC 6386, section 9.1).
fn dimensions(chunk: &[u8]) -> Option<(u32, u32)> {
    let (start_code, dimensions) = chunk
        .get(START_CODE_AT..DIMENSIONS_AT + 4)?
        .split_at(START_CODE.len());
    let &[w0, w1, h0, h1] = dimensions else {
        return None;
    };
    let length = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    (start_code == START_CODE).then(|| (length([w0, w1]), length([h0, h1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u16, height: u16) -> Vec<u8> {
        let size = [width.to_le_bytes(), height.to_le_bytes()].concat();
        [b"VP8 \x46\x01\0\0\x70\x0a\0", &START_CODE[..], &size].concat()
    }

    #[test]
    fn frames_are_found_wherever_they_lie() {
        let scaled = 30 | 0x4000;
        let file = [
            &b"RIFFxxxxWEBPVP8X.. ANMF.."[..],
            &frame(40, scaled),
            b"VP8 in the text of some metadata",
            &frame(16_383, 1),
        ]
        .concat();
        let found: Vec<_> = lossy_frames(&file).collect();
        assert_eq!(found, [(40, 30), (16_383, 1)]);
        let whole = frame(41, 31);
        for end in 0..whole.len() {
            assert_eq!(lossy_frames(&whole[..end]).count(), 0, "{end} bytes");
        }
    }

    #[test]
    fn a_translucent_frame_has_its_size_twice_and_its_picture_any_name() {
        let file = |alpha: &[u8], name: &[u8; 4], lossy: (u16, u16)| {
            let picture = &frame(lossy.0, lossy.1)[4..];
            let length = u32::try_from(alpha.len()).unwrap().to_le_bytes();
            let alpha = [alpha, &vec![0; alpha.len() % 2]].concat();
            let head = b"..ANMFxxxx\0\0\0\0\0\0\x27\0\0\x1D\0\0\x32\0\0\0ALPH";
            [&head[..], &length, &alpha, name, picture].concat()
        };
        let of_one_size = file(b"odd", b"VP8 ", (40, 30));
        assert!(!contradicts_itself(&of_one_size));
        for end in 0..of_one_size.len() {
            assert!(!contradicts_itself(&of_one_size[..end]), "{end} bytes");
        }
        let of_two = file(b"even", b"odd.", (40, 29));
        assert!(contradicts_itself(&of_two));
        assert_eq!(lossy_frames(&of_two).collect::<Vec<_>>(), [(40, 29)]);
    }

    #[test]
    fn an_exif_chunk_is_what_the_file_really_holds_of_it() {
        let file = |length: u32, content: &[u8]| {
            let odd = b"RIFFxxxxWEBPABCD\x03\0\0\0abc\0EXIF";
            [&odd[..], &length.to_le_bytes(), content].concat()
        };
        assert_eq!(exif(&file(4, b"MM\0*and more")), Some(&b"MM\0*"[..]));
        for short in [
            file(5, b"MM\0*"),
            file(u32::MAX, b"MM\0*"),
            b"RIFF".to_vec(),
        ] {
            assert_eq!(exif(&short), None);
        }
        let whole = file(4, b"MM\0*");
        for end in 0..whole.len() {
            assert_eq!(exif(&whole[..end]), None, "{end} bytes");
        }
    }
}
