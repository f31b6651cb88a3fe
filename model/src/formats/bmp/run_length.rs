use super::header::Header;
use crate::{
    InvalidImage,
    formats::pixels::{Channels, byte_count},
    truncation::check_rows,
};

const RGB: usize = 3;
/// After a zero: end of line, end of image, a jump. Larger values count pixels that are not repeated.
const END_OF_LINE: u8 = 0;
const END_OF_IMAGE: u8 = 1;
const JUMP: u8 = 2;

/// Decodes a bitmap whose runs have pixels of 4, 8 or 24 bits, to RGB from the top. Skipped pixels are white, because
/// browsers show them as transparent.
///
/// # Errors
/// [`InvalidImage::Truncated`].
pub(super) fn decode(header: &Header<'_>, bits: u16) -> Result<Vec<u8>, InvalidImage> {
    let mut canvas = Canvas {
        header,
        pixels: vec![u8::MAX; byte_count(header.width, header.height, Channels::Rgb)],
        x: 0,
        y: 0,
    };
    let is_complete = canvas.draw(bits).is_some();
    let rows_present = if is_complete {
        header.height
    } else {
        canvas.clear_row();
        canvas.y
    };
    check_rows(rows_present, header.height)?;
    Ok(canvas.pixels)
}

struct Canvas<'a> {
    header: &'a Header<'a>,
    pixels: Vec<u8>,
    /// The next pixel's column, and its row in the order of the file.
    x: u32,
    y: u32,
}

impl Canvas<'_> {
    /// Draws all pixels; `None` if the data end before the image does.
    fn draw(&mut self, bits: u16) -> Option<()> {
        let mut data = self.header.data;
        while self.y < self.header.height {
            let count = take(&mut data)?;
            if count > 0 {
                let colours = self.run(&mut data, bits)?;
                for index in 0..u32::from(count) {
                    self.put(colours[index as usize % 2]);
                }
                continue;
            }
            match take(&mut data)? {
                END_OF_LINE => {
                    self.x = 0;
                    self.y += 1;
                }
                END_OF_IMAGE => return Some(()),
                JUMP => {
                    self.x += u32::from(take(&mut data)?);
                    self.y += u32::from(take(&mut data)?);
                }
                count => self.draw_each(&mut data, bits, count)?,
            }
        }
        Some(())
    }

    /// The two colours that alternate in a run.
    fn run(&self, data: &mut &[u8], bits: u16) -> Option<[[u8; RGB]; 2]> {
        Some(match bits {
            4 => {
                let pair = take(data)?;
                [self.colour(pair >> 4), self.colour(pair & 15)]
            }
            8 => [self.colour(take(data)?); 2],
            _ => [bgr(data)?; 2],
        })
    }

    /// Draws pixels that each have their own colour. Their data end at an even number of bytes.
    fn draw_each(&mut self, data: &mut &[u8], bits: u16, count: u8) -> Option<()> {
        let before = data.len();
        let mut pair = 0;
        for index in 0..count {
            let colour = match bits {
                4 => {
                    if index % 2 == 0 {
                        pair = take(data)?;
                    }
                    pair = pair.rotate_left(4);
                    self.colour(pair & 15)
                }
                8 => self.colour(take(data)?),
                _ => bgr(data)?,
            };
            self.put(colour);
        }
        if (before - data.len()) % 2 == 1 {
            take(data)?;
        }
        Some(())
    }

    fn colour(&self, index: u8) -> [u8; RGB] {
        let palette = &self.header.palette;
        palette.get(usize::from(index)).copied().unwrap_or_default()
    }

    /// Clears a row that is cut off.
    fn clear_row(&mut self) {
        for x in 0..self.x.min(self.header.width) {
            self.x = x;
            self.put([u8::MAX; RGB]);
        }
    }

    /// Colours the next pixel. Pixels beyond the row's end are ignored.
    fn put(&mut self, colour: [u8; RGB]) {
        let Header { width, height, .. } = *self.header;
        if self.x < width {
            let row = if self.header.top_down {
                self.y
            } else {
                height - 1 - self.y
            };
            let at = (row as usize * width as usize + self.x as usize) * RGB;
            self.pixels[at..at + RGB].copy_from_slice(&colour);
        }
        self.x += 1;
    }
}

fn take(data: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = data.split_first()?;
    *data = rest;
    Some(first)
}

fn bgr(data: &mut &[u8]) -> Option<[u8; RGB]> {
    let (&[blue, green, red], rest) = data.split_first_chunk()?;
    *data = rest;
    Some([red, green, blue])
}
