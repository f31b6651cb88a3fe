//! The first frame of a GIF, as tolerant as Pillow and browsers. The blocks are read here; the decoder gets a file that
//! contains only the frame.

use std::io::Read;

use ::gif::{ColorOutput, DecodeOptions, MemoryLimit};
use image::ImageFormat;

use super::{
    Decoded,
    pixels::{Channels, byte_count},
};
use crate::{
    InvalidImage, dimensions::check_dimensions, error::undecodable, truncation::check_rows,
};

const SCREEN_AT: usize = 6;
const RGBA: usize = 4;

/// Decodes the first frame, on a transparent screen.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    let frame = Frame::find(file)
        .ok_or_else(|| undecodable(ImageFormat::Gif, "there is no frame in the file"))?;
    // A frame that extends beyond the screen enlarges it: some programs write a wrong screen size, or 0 x 0.
    let (right, bottom) = (frame.left + frame.width, frame.top + frame.height);
    let (width, height) = (
        frame.screen_width.max(right),
        frame.screen_height.max(bottom),
    );
    check_dimensions(width, height, pixels_max)?;
    check_dimensions(frame.width, frame.height, pixels_max)?;

    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.set_memory_limit(MemoryLimit::Unlimited);
    let alone = frame.alone();
    let mut decoder = options.read_info(alone.chain(frame.data)).map_err(failed)?;
    let mut pixels = vec![0; byte_count(width, height, Channels::Rgba)];
    let screen_row = byte_count(width, 1, Channels::Rgba);
    let frame_row = byte_count(frame.width, 1, Channels::Rgba);
    let begin = frame.top as usize * screen_row + frame.left as usize * RGBA;
    let mut lines: u32 = 0;
    match decoder.next_frame_info() {
        Ok(Some(_)) => {
            for y in frame.rows() {
                let row = &mut pixels[begin + y as usize * screen_row..][..frame_row];
                if !matches!(decoder.fill_buffer(row), Ok(true)) {
                    // The row may have been filled in part.
                    row.fill(0);
                    break;
                }
                lines += 1;
            }
        }
        Ok(None) | Err(::gif::DecodingError::UnexpectedEof) => {}
        Err(error) => return Err(failed(error)),
    }
    let rows_present = frame.rows_shown(lines);
    check_rows(rows_present, frame.height)?;
    if frame.interlaced && lines < frame.height {
        frame.fill_up(&mut pixels[begin..], screen_row, frame_row, lines);
    }
    Ok(Decoded::upright(
        Channels::Rgba.image(width, height, pixels),
    ))
}

fn failed(error: ::gif::DecodingError) -> InvalidImage {
    undecodable(ImageFormat::Gif, error)
}

/// A frame, and the parts of the file that it depends on.
struct Frame<'a> {
    screen_width: u32,
    screen_height: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    interlaced: bool,
    /// Three bytes per colour: the frame's own palette, else the file's, else none.
    palette: Option<&'a [u8]>,
    transparent: Option<u8>,
    /// The data from the code size on, to the end of the file.
    data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Finds the first frame. Unknown bytes between blocks are skipped, as are unknown extensions.
    fn find(file: &'a [u8]) -> Option<Self> {
        const EXTENSION: u8 = b'!';
        const FRAME: u8 = b',';
        const END: u8 = b';';
        let (screen, rest) = file.get(SCREEN_AT..)?.split_first_chunk()?;
        let [w0, w1, h0, h1, flags, _background, _aspect] = *screen;
        let (file_palette, mut rest) = palette(flags, rest);
        let mut transparent = None;
        loop {
            let (&block, behind) = rest.split_first()?;
            rest = match block {
                EXTENSION => {
                    let (&label, content) = behind.split_first()?;
                    if let Some(index) = transparent_index(label, content) {
                        transparent = index;
                    }
                    after_sub_blocks(content)
                }
                FRAME => {
                    let (descriptor, behind) = behind.split_first_chunk()?;
                    let [x0, x1, y0, y1, fw0, fw1, fh0, fh1, flags] = *descriptor;
                    let (own_palette, data) = palette(flags, behind);
                    let [screen_width, screen_height] = [[w0, w1], [h0, h1]].map(number);
                    let [left, top, width, height] =
                        [[x0, x1], [y0, y1], [fw0, fw1], [fh0, fh1]].map(number);
                    // A frame without a size is as large as the screen.
                    let sized = width > 0 && height > 0;
                    return Some(Self {
                        screen_width,
                        screen_height,
                        left,
                        top,
                        width: if sized { width } else { screen_width },
                        height: if sized { height } else { screen_height },
                        interlaced: flags & 0x40 != 0,
                        palette: own_palette.or(file_palette),
                        transparent,
                        data,
                    });
                }
                END => return None,
                _ => behind,
            };
        }
    }

    /// The beginning of a file with only this frame, up to its data.
    fn alone(&self) -> std::io::Cursor<Vec<u8>> {
        let size = |length: u32| {
            u16::try_from(length)
                .expect("read as 16 bits")
                .to_le_bytes()
        };
        let (width, height) = (size(self.width), size(self.height));
        let mut head = b"GIF89a".to_vec();
        head.extend([width, height].concat());
        head.extend([0, 0, 0]);
        if let Some(index) = self.transparent {
            head.extend([b'!', 0xF9, 4, 1, 0, 0, index, 0]);
        }
        head.push(b',');
        head.extend([[0, 0], [0, 0], width, height].concat());
        // The frame gets its own palette of 256 colours. The lines are put in order here, not by the decoder.
        head.push(0x87);
        let palette_end = head.len() + 3 * 256;
        match self.palette {
            Some(palette) => head.extend(palette),
            // Like Pillow, take indices for shades of grey.
            None => head.extend((0..=u8::MAX).flat_map(|shade| [shade; 3])),
        }
        head.resize(palette_end, 0);
        std::io::Cursor::new(head)
    }

    /// The rows, in the order of the file's lines.
    fn rows(&self) -> Box<dyn Iterator<Item = u32>> {
        let height = self.height;
        if !self.interlaced {
            return Box::new(0..height);
        }
        let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
        Box::new(
            passes
                .into_iter()
                .flat_map(move |(first, step)| (first..height).step_by(step)),
        )
    }

    /// How many rows `lines` lines cover: the first pass covers all of them, coarsely.
    fn rows_shown(&self, lines: u32) -> u32 {
        if self.interlaced {
            self.height.min(lines.saturating_mul(8))
        } else {
            lines
        }
    }

    /// Copies to each missing row the nearest present one above it.
    fn fill_up(&self, frame: &mut [u8], screen_row: usize, frame_row: usize, lines: u32) {
        let mut present = vec![false; self.height as usize];
        for row in self.rows().take(lines as usize) {
            present[row as usize] = true;
        }
        for row in 1..self.height as usize {
            // Not further than the eight rows that a line of the first pass stands for.
            let above = (row - row % 8..row).rev().find(|&above| present[above]);
            if let (false, Some(above)) = (present[row], above) {
                let source = above * screen_row;
                frame.copy_within(source..source + frame_row, row * screen_row);
            }
        }
    }
}

fn number(bytes: [u8; 2]) -> u32 {
    u32::from(u16::from_le_bytes(bytes))
}

/// The colours after a descriptor, if its flags announce any, and the bytes after them.
fn palette(flags: u8, rest: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if flags & 0x80 == 0 {
        return (None, rest);
    }
    let length = 3 << ((flags & 7) + 1);
    let (palette, rest) = rest.split_at(rest.len().min(length));
    (Some(palette), rest)
}

/// The transparent index in a graphic control extension; the outer `None` if `label` is another extension's.
fn transparent_index(label: u8, content: &[u8]) -> Option<Option<u8>> {
    const GRAPHIC_CONTROL: u8 = 0xF9;
    match *content {
        [4..=u8::MAX, flags, _, _, index, ..] if label == GRAPHIC_CONTROL => {
            Some((flags & 1 != 0).then_some(index))
        }
        _ => None,
    }
}

/// The bytes after a sequence of blocks that begin with their length, up to one of length 0.
fn after_sub_blocks(mut rest: &[u8]) -> &[u8] {
    while let Some((&length, behind)) = rest.split_first() {
        rest = behind.get(usize::from(length)..).unwrap_or_default();
        if length == 0 {
            break;
        }
    }
    rest
}
