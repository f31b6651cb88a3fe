use memchr::memmem;

/// Before a lossy frame's dimensions: the chunk's name and length, the frame's tag, and this.
const START_CODE: [u8; 3] = [0x9D, 0x01, 0x2A];
const CHUNK: &[u8] = b"VP8 ";
const START_CODE_AT: usize = 11;
const DIMENSIONS_AT: usize = START_CODE_AT + START_CODE.len();

/// Widths and heights that the lossy frames in a WebP file say they have: they need not be the picture's, and the decoder
/// allocates and decodes a frame before it compares them (image-webp 0.2.4).
///
/// Frames are looked for in all bytes instead of where the container's chunks should lie, so that nobody can hide one by
/// chunks that two readers read differently.
pub(crate) fn lossy_frames(bytes: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    memmem::find_iter(bytes, CHUNK).filter_map(|at| dimensions(&bytes[at..]))
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
}
