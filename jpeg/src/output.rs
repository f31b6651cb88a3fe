//! From rows of units to pixels: samples are upsampled to one per pixel and converted as soon as their rows are complete.

use fearless_simd::Simd;

use crate::Error;
use crate::application::Colour;
use crate::colour;
use crate::frame::Frame;
use crate::plane::Plane;
use crate::region::{Region, Scale};

const CHANNELS: usize = 3;

/// The region's pixels, written from the top as rows of units arrive.
pub(crate) struct Output {
    /// One plane for each component, in the frame's order.
    pub(crate) planes: Vec<Plane>,
    colour: Colour,
    /// Rows of interleaved units in the image, and rows of the scaled image in each.
    unit_rows: usize,
    rows_per_unit: usize,
    looks_down: bool,
    region: Region,
    pixels: Vec<u8>,
    rows_done: usize,
}

impl Output {
    pub(crate) fn new(
        frame: &Frame,
        colour: Colour,
        scale: Scale,
        region: Region,
    ) -> Result<Self, Error> {
        let planes: Vec<_> = frame
            .components
            .iter()
            .map(|component| Plane::new(frame, component, scale, region))
            .collect::<Result<_, _>>()?;
        let looks_down = planes.iter().any(|plane| plane.upsampling.looks_down());
        let pixels = region.width as usize * region.height as usize * CHANNELS;
        Ok(Self {
            planes,
            colour,
            unit_rows: frame.unit_rows(),
            rows_per_unit: frame.down_max * scale.block_side(),
            looks_down,
            region,
            pixels: vec![0; pixels],
            rows_done: 0,
        })
    }

    pub(crate) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The first row of units that is not needed.
    pub(crate) fn unit_rows_end(&self) -> usize {
        let ends = self.planes.iter().map(|plane| plane.unit_rows.end);
        ends.max().unwrap_or(0)
    }

    /// Makes room for the samples of a row of units.
    pub(crate) fn start_row(&mut self, unit_row: usize) {
        for plane in &mut self.planes {
            plane.next_row(unit_row);
        }
    }

    /// Writes all pixels whose samples are complete after `unit_row`.
    #[inline(always)]
    pub(crate) fn finish_row<S: Simd>(&mut self, simd: S, unit_row: usize) {
        let rows = (unit_row + 1) * self.rows_per_unit;
        let rows_ready = if unit_row + 1 == self.unit_rows {
            usize::MAX
        } else {
            // The filter of the last row waits for the samples below it.
            rows - usize::from(self.looks_down)
        };
        let rows_ready = rows_ready
            .saturating_sub(self.region.top as usize)
            .min(self.region.height as usize);
        self.convert_rows(simd, self.rows_done, rows_ready);
        self.rows_done = rows_ready.max(self.rows_done);
    }

    /// Writes the region's rows `from..to`.
    #[inline(always)]
    fn convert_rows<S: Simd>(&mut self, simd: S, from: usize, to: usize) {
        if from >= to {
            return;
        }
        for plane in &mut self.planes {
            plane.extend_edges();
        }
        let row_bytes = self.region.width as usize * CHANNELS;
        let rows = self
            .pixels
            .chunks_exact_mut(row_bytes)
            .enumerate()
            .take(to)
            .skip(from);
        for (row, pixels) in rows {
            let y = self.region.top as usize + row;
            match &mut self.planes[..] {
                [a, b, c, rest @ ..] => {
                    let lines = [a.row(y), b.row(y), c.row(y)];
                    match self.colour {
                        Colour::Rgb | Colour::Cmyk => colour::from_rgb(simd, lines, pixels),
                        Colour::YCbCr | Colour::Ycck => colour::from_ycbcr(simd, lines, pixels),
                    }
                    if let [black] = rest {
                        let is_ycck = self.colour == Colour::Ycck;
                        colour::darken(black.row(y), is_ycck, pixels);
                    }
                }
                [grey, ..] => colour::from_grey(grey.row(y), pixels),
                [] => {}
            }
        }
    }
}
