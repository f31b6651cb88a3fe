#[cfg(test)]
mod tests;

use std::iter;

use super::padding::padding;

/// `RIFF`, a length, `WEBP`.
const HEAD_BYTES: usize = 12;
const CHUNK_HEAD_BYTES: usize = 8;
/// Length of the extended header: flags, three reserved bytes, the canvas' width and height less one.
const EXTENDED_BYTES: usize = 10;
const EXTENDED_WIDTH_AT: usize = 4;
const EXTENDED_HEIGHT_AT: usize = 7;
const HAS_ALPHA: u8 = 0x10;
const HAS_EXIF: u8 = 0x08;
const IS_ANIMATED: u8 = 0x02;
/// Length of the header of an animation's frame, before its chunks: position, width and height less one, and more.
const FRAME_HEAD_BYTES: usize = 16;
const FRAME_SIZE_AT: usize = 6;
const FRAME_FLAGS_AT: usize = 15;
const IS_NOT_BLENDED: u8 = 0x02;
/// The content of the animation chunk: background and number of repetitions.
const ANIMATION: [u8; 6] = [0; 6];
/// A cut frame is padded to at most this many times its present length: with less data, too few rows would be present.
const GROWTH_MAX: usize = 16;
/// Most bytes of padding, however long the frame is said to be: enough for any file within the default limit of 10 MiB.
const PADDING_BYTES_MAX: usize = 40 << 20;

/// Pseudorandom bytes behind the present ones of a cut lossless image: enough for two attempts to differ from the first pixel on
/// that is not present.
const RANDOM_BYTES_LOSSLESS: usize = 16;
/// A cut frame is padded to this many times its length, because arbitrary bytes encode fewer pixels than its own.
const LENGTHS: usize = 4;

/// The first frame of a WebP file, and the parts of the file that it depends on.
pub(super) struct Container<'a> {
    canvas: (u32, u32),
    /// Animations only: the frame's position, size and more.
    frame: Option<&'a [u8; FRAME_HEAD_BYTES]>,
    /// Compressed transparency of a lossy frame.
    alpha: Option<Chunk<'a>>,
    image: Chunk<'a>,
    exif: Option<&'a [u8]>,
}

#[derive(Clone, Copy)]
struct Chunk<'a> {
    name: &'a [u8; 4],
    /// As much of the content as is present.
    content: &'a [u8],
    /// The content's length according to the chunk.
    length: usize,
}

impl<'a> Container<'a> {
    /// Parses a file; `None` if it has no frame.
    pub(super) fn parse(file: &'a [u8]) -> Option<Self> {
        let chunks = Chunks(file.get(HEAD_BYTES..)?);
        let first = chunks.clone().next()?;
        if first.is_image() {
            return Some(Self {
                canvas: first.dimensions()?,
                frame: None,
                alpha: None,
                image: first,
                exif: None,
            });
        }
        let extended: &[u8; EXTENDED_BYTES] = first.named(b"VP8X")?.content.first_chunk()?;
        let flags = extended[0];
        let canvas = (
            length_less_one(extended, EXTENDED_WIDTH_AT)?,
            length_less_one(extended, EXTENDED_HEIGHT_AT)?,
        );
        let chunk = |name| {
            chunks
                .clone()
                .find_map(|chunk: Chunk<'a>| chunk.named(name))
        };
        let exif = chunk(b"EXIF").filter(|exif| flags & HAS_EXIF != 0 && exif.is_whole());
        let exif = exif.map(|exif| exif.content);
        let still = chunks.clone().find(Chunk::is_image);
        if let Some(image) = still {
            return Some(Self {
                canvas,
                frame: None,
                // libwebp reads this chunk only if the flags announce it.
                alpha: chunk(b"ALPH").filter(|_| image.is_lossy() && flags & HAS_ALPHA != 0),
                image,
                exif,
            });
        }
        let mut frames = chunks
            .clone()
            .filter_map(|chunk| chunk.named(b"ANMF")?.content.split_first_chunk());
        // A frame without an image shows nothing.
        let (frame, alpha, image) = frames.find_map(|(frame, content)| {
            let mut content = Chunks(content);
            let alpha = content.clone().next()?.named(b"ALPH");
            Some((frame, alpha, content.find(Chunk::is_image)?))
        })?;
        Some(Self {
            canvas,
            frame: Some(frame),
            alpha: alpha.filter(|_| image.is_lossy()),
            image,
            exif,
        })
    }

    /// Width and height of the canvas.
    pub(super) fn canvas(&self) -> (u32, u32) {
        self.canvas
    }

    /// Width and height according to the frame's own data.
    pub(super) fn frame_dimensions(&self) -> Option<(u32, u32)> {
        self.image.dimensions()
    }

    /// Whether the frame is as large as the container says. Otherwise the decoder would look for pixels beyond the frame,
    /// and panic (image-webp 0.2.4).
    pub(super) fn is_consistent(&self) -> bool {
        let announced = match self.frame {
            None => Some(self.canvas),
            Some(frame) => {
                let width = length_less_one(frame, FRAME_SIZE_AT);
                let height = length_less_one(frame, FRAME_SIZE_AT + 3);
                width.zip(height)
            }
        };
        announced == self.frame_dimensions()
    }

    /// The Exif metadata, if the flags announce them.
    pub(super) fn exif(&self) -> Option<&'a [u8]> {
        self.exif
    }

    /// Whether the frame is lossy.
    pub(super) fn is_lossy(&self) -> bool {
        self.image.is_lossy()
    }

    /// How many bytes of the frame are missing.
    pub(super) fn bytes_missing(&self) -> usize {
        let missing = |chunk: &Chunk<'_>| chunk.length - chunk.content.len();
        missing(&self.image) + self.alpha.as_ref().map_or(0, missing)
    }

    /// A file with only the frame.
    pub(super) fn plain(&self) -> Vec<u8> {
        self.file(iter::empty())
    }

    /// As [`Self::plain`], with pseudorandom bytes in place of the missing ones, and more of them. In a lossless image, all but
    /// the first are the same: no run of pixels may go beyond the last pixel. Random bytes encode long runs, a repeated byte
    /// often encodes none.
    pub(super) fn padded(&self, seed: u32) -> Vec<u8> {
        let random_bytes = if self.is_lossy() {
            usize::MAX
        } else {
            RANDOM_BYTES_LOSSLESS
        };
        let present = self.image.content.len();
        let length = self.image.length.saturating_mul(LENGTHS);
        let length = length.min(present.saturating_mul(GROWTH_MAX));
        let missing = (length - present).min(PADDING_BYTES_MAX);
        self.file(padding(seed, random_bytes).take(missing))
    }

    /// A file with only the frame, and `padding` behind its image.
    fn file(&self, padding: impl Iterator<Item = u8>) -> Vec<u8> {
        let mut file = Vec::new();
        push(&mut file, b"RIFF", |file| {
            file.extend(b"WEBP");
            if self.frame.is_some() || self.alpha.is_some() {
                push(file, b"VP8X", |file| file.extend(self.extended_header()));
            }
            let Some(&(mut frame)) = self.frame else {
                return self.push_image(file, padding);
            };
            push(file, b"ANIM", |file| file.extend(ANIMATION));
            push(file, b"ANMF", |file| {
                // There is nothing below the first frame. The decoder's blending darkens colours by 1 (image-webp 0.2.4).
                frame[FRAME_FLAGS_AT] |= IS_NOT_BLENDED;
                file.extend(frame);
                self.push_image(file, padding);
            });
        });
        file
    }

    fn push_image(&self, file: &mut Vec<u8>, padding: impl Iterator<Item = u8>) {
        if let Some(alpha) = &self.alpha {
            push(file, b"ALPH", |file| file.extend(alpha.content));
        }
        push(file, self.image.name, |file| {
            file.extend(self.image.content);
            file.extend(padding);
        });
    }

    fn extended_header(&self) -> [u8; EXTENDED_BYTES] {
        let alpha = if self.alpha.is_some() || self.frame.is_some() {
            HAS_ALPHA
        } else {
            0
        };
        let animated = if self.frame.is_some() { IS_ANIMATED } else { 0 };
        let [w0, w1, w2, _] = (self.canvas.0 - 1).to_le_bytes();
        let [h0, h1, h2, _] = (self.canvas.1 - 1).to_le_bytes();
        [alpha | animated, 0, 0, 0, w0, w1, w2, h0, h1, h2]
    }
}

/// The canvas' height, if the file is shorter than it says. Its image may be in the part that is missing.
pub(super) fn height_if_cut(file: &[u8]) -> Option<u32> {
    let (riff, rest) = file.split_first_chunk::<CHUNK_HEAD_BYTES>()?;
    let &length = riff.last_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let first = Chunks(file.get(HEAD_BYTES..)?).next()?;
    let height = length_less_one(first.named(b"VP8X")?.content, EXTENDED_HEIGHT_AT)?;
    (rest.len() < length).then_some(height)
}

/// Appends a chunk with the content that `push_content` appends. Images are large, so they are not copied from chunk to chunk.
fn push(file: &mut Vec<u8>, name: &[u8; 4], push_content: impl FnOnce(&mut Vec<u8>)) {
    file.extend(name);
    file.extend([0; 4]);
    let begin = file.len();
    push_content(file);
    let length = file.len() - begin;
    file.extend(iter::repeat_n(0, length % 2));
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    file[begin - 4..begin].copy_from_slice(&length.to_le_bytes());
}

impl Chunk<'_> {
    fn named(self, name: &[u8; 4]) -> Option<Self> {
        (self.name == name).then_some(self)
    }

    fn is_lossy(&self) -> bool {
        self.name == b"VP8 "
    }

    fn is_image(&self) -> bool {
        self.is_lossy() || self.name == b"VP8L"
    }

    fn is_whole(&self) -> bool {
        self.content.len() == self.length
    }

    /// Width and height of an image.
    fn dimensions(&self) -> Option<(u32, u32)> {
        if self.is_lossy() {
            // The frame's tag and a start code are followed by two numbers of 14 bits, each with two more bits for scaling
            // above it (RFC 6386, 9.1).
            const START_CODE: [u8; 3] = [0x9D, 0x01, 0x2A];
            let (start_code, size) = self.content.get(3..)?.split_first_chunk::<3>()?;
            let &[w0, w1, h0, h1] = size.first_chunk()?;
            let length = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
            return (*start_code == START_CODE).then(|| (length([w0, w1]), length([h0, h1])));
        }
        // The signature is followed by two numbers of 14 bits, each less one.
        let (&0x2F, rest) = self.content.split_first()? else {
            return None;
        };
        let bits = u32::from_le_bytes(*rest.first_chunk()?);
        Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
    }
}

fn length_less_one(bytes: &[u8], at: usize) -> Option<u32> {
    let &[low, middle, high] = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
}

/// The chunks in these bytes.
#[derive(Clone)]
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (name, rest) = self.0.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let content = &rest[..length.min(rest.len())];
        self.0 = rest
            .get(length.saturating_add(length % 2)..)
            .unwrap_or_default();
        Some(Chunk {
            name,
            content,
            length,
        })
    }
}
