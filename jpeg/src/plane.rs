//! One component of the scaled image, of which one row of interleaved units is in memory at a time.

use std::ops::Range;

use fearless_simd::Simd;

use crate::Error;
use crate::block::Coefficients;
use crate::frame::{Component, Frame};
use crate::idct;
use crate::region::{Region, Scale};
use crate::upsample::{self, Upsampling};

/// Samples before a line's first, for the filters that look there.
const MARGIN: usize = 1;
/// Lines kept of the previous row of units, for the filters that look there.
const CARRIED: usize = 1;

/// Which samples of a component are needed, and the most recent of them.
pub(crate) struct Plane {
    /// Samples along the side of a block: 1, 2, 4 or 8.
    pub(crate) side: usize,
    pub(crate) upsampling: Upsampling,
    /// Width of the whole scaled component, in samples.
    width: usize,
    height: usize,
    /// Columns of blocks to decode.
    pub(crate) columns: Range<usize>,
    /// Rows of interleaved units to decode.
    pub(crate) unit_rows: Range<usize>,
    /// Blocks above the region's last row of which only the first coefficient is needed.
    pub(crate) blocks_skipped: usize,
    lines_per_unit: usize,
    /// Columns of the region, in pixels.
    pixels: Range<usize>,
    stride: usize,
    /// `CARRIED` lines, then one row of units.
    samples: Vec<u8>,
    /// The component's line that the strip's first line after the carried ones holds.
    first_line: usize,
    /// One line of upsampled pixels, from the first sample that is needed.
    line: Vec<u8>,
    sums: Vec<u16>,
}

impl Plane {
    pub(crate) fn new(
        frame: &Frame,
        component: &Component,
        scale: Scale,
        region: Region,
    ) -> Result<Self, Error> {
        let (across_max, down_max) = (frame.across_max, frame.down_max);
        let least = scale.block_side();
        let side = block_side(component, (across_max, down_max), least);
        let samples_of = |pixels: u32, blocks: usize, blocks_max: usize| {
            (pixels as usize * blocks * side).div_ceil(blocks_max * 8)
        };
        let width = samples_of(frame.width, component.blocks_across, across_max);
        let height = samples_of(frame.height, component.blocks_down, down_max);
        let upsampling = upsampling(
            (across_max * least, component.blocks_across * side),
            (down_max * least, component.blocks_down * side),
            least > 1,
            width,
        )?;

        let left = region.left as usize;
        let top = region.top as usize;
        let pixels = left..left + region.width as usize;
        let rows = top..top + region.height as usize;
        let (across, down) = upsampling.factors();
        let needed_columns = needed(&pixels, across, upsampling.looks_across(), width);
        let needed_lines = needed(&rows, down, upsampling.looks_down(), height);
        let columns = needed_columns.start / side..needed_columns.end.div_ceil(side);
        let lines_per_unit = component.blocks_down * side;
        let stride = MARGIN + columns.len() * side + MARGIN;
        let unit_rows =
            needed_lines.start / lines_per_unit..needed_lines.end.div_ceil(lines_per_unit);
        let blocks_read = unit_rows.end * component.blocks_down * width.div_ceil(side);
        let blocks_needed = unit_rows.len() * component.blocks_down * columns.len();
        let blocks_skipped = if side == 1 {
            blocks_read
        } else {
            blocks_read - blocks_needed
        };
        Ok(Self {
            side,
            upsampling,
            width,
            height,
            unit_rows,
            blocks_skipped,
            lines_per_unit,
            pixels,
            stride,
            samples: vec![0; stride * (CARRIED + lines_per_unit)],
            first_line: 0,
            line: Vec::new(),
            sums: Vec::new(),
            columns,
        })
    }

    /// Rows of blocks in a row of units.
    pub(crate) fn rows_per_unit(&self) -> usize {
        self.lines_per_unit / self.side
    }

    /// Where the samples of a block go, by its column and its row within the unit, and the distance between their lines.
    #[inline(always)]
    pub(crate) fn block(&mut self, column: usize, row: usize) -> (&mut [u8], usize) {
        let at = (CARRIED + row * self.side) * self.stride
            + MARGIN
            + (column - self.columns.start) * self.side;
        (&mut self.samples[at..], self.stride)
    }

    /// Fills a block with the same sample.
    #[inline(always)]
    pub(crate) fn fill_block(&mut self, column: usize, row: usize, sample: u8) {
        let side = self.side;
        let (samples, stride) = self.block(column, row);
        for line in samples.chunks_mut(stride).take(side) {
            line[..side].fill(sample);
        }
    }

    /// Writes the samples of a block that becomes more than one, from its dequantised coefficients.
    #[inline(always)]
    pub(crate) fn transform_block<S: Simd>(
        &mut self,
        simd: S,
        column: usize,
        row: usize,
        coefficients: &Coefficients,
    ) {
        let side = self.side;
        let (samples, stride) = self.block(column, row);
        match side {
            2 => idct::quarter(simd, coefficients, samples, stride),
            4 => idct::half(simd, coefficients, samples, stride),
            _ => idct::whole(simd, coefficients, samples, stride),
        }
    }

    /// Keeps the last lines of the row of units, and makes room for the next row.
    pub(crate) fn next_row(&mut self, unit_row: usize) {
        let last = self.lines_per_unit * self.stride;
        self.samples
            .copy_within(last..last + CARRIED * self.stride, 0);
        self.first_line = unit_row * self.lines_per_unit;
    }

    /// Repeats the samples at the image's left and right edge, so that filters need no exception there.
    pub(crate) fn extend_edges(&mut self) {
        if !self.upsampling.looks_across() {
            return;
        }
        let behind = MARGIN + self.width - self.columns.start * self.side;
        for line in self.samples.chunks_exact_mut(self.stride) {
            if self.columns.start == 0 {
                line[MARGIN - 1] = line[MARGIN];
            }
            if behind < self.stride {
                line[behind] = line[behind - 1];
            }
        }
    }

    /// The region's pixels in row `y` of the image.
    #[inline(always)]
    pub(crate) fn row(&mut self, y: usize) -> &[u8] {
        let (across, down) = self.upsampling.factors();
        let first = self.pixels.start / across;
        let count = self.pixels.end.div_ceil(across) - first;
        let skipped = self.pixels.start - first * across;
        let near = y / down;
        // The pixel's other row of samples is above it if it is the upper one of two; at the image's edge, its own.
        let (far, rounding) = if y.is_multiple_of(down) {
            (near.saturating_sub(1), 1)
        } else {
            ((near + 1).min(self.height - 1), 2)
        };
        let wide = |line| self.line_from(line, first, count + 2 * MARGIN, MARGIN);
        let narrow = |line| self.line_from(line, first, count, 0);
        if self.upsampling == Upsampling::None {
            return &self.samples[narrow(near)];
        }
        let far = if self.upsampling.looks_down() {
            far
        } else {
            near
        };
        let [near_wide, far_wide] = [near, far].map(wide);
        let [near_narrow, far_narrow] = [near, far].map(narrow);
        self.line.resize(count * across, 0);
        let (samples, line) = (&self.samples, &mut self.line);
        match self.upsampling {
            Upsampling::None => {}
            Upsampling::Across => upsample::across(&samples[near_wide], line),
            Upsampling::Down => {
                upsample::down(&samples[near_narrow], &samples[far_narrow], rounding, line)
            }
            Upsampling::Both => {
                upsample::both(
                    &samples[near_wide],
                    &samples[far_wide],
                    &mut self.sums,
                    line,
                );
            }
            Upsampling::Repeat { across, .. } => {
                upsample::repeat(&samples[near_narrow], across, line)
            }
        }
        &self.line[skipped..][..self.pixels.len()]
    }

    /// The range in the strip of `count` samples of component line `line`, starting `margin` before `first`.
    #[inline(always)]
    fn line_from(&self, line: usize, first: usize, count: usize, margin: usize) -> Range<usize> {
        let at = (line + CARRIED - self.first_line) * self.stride + MARGIN - margin + first
            - self.columns.start * self.side;
        at..at + count
    }
}

/// Components with fewer samples are scaled down less, as long as they do not get more samples than there are pixels.
fn block_side(
    component: &Component,
    (across_max, down_max): (usize, usize),
    least: usize,
) -> usize {
    let mut side = least;
    while side < 8
        && (across_max * least).is_multiple_of(component.blocks_across * side * 2)
        && (down_max * least).is_multiple_of(component.blocks_down * side * 2)
    {
        side *= 2;
    }
    side
}

/// libjpeg's choice, by the samples in a unit: of the image, and of the component.
fn upsampling(
    (across_max, across): (usize, usize),
    (down_max, down): (usize, usize),
    may_filter: bool,
    width: usize,
) -> Result<Upsampling, Error> {
    if !across_max.is_multiple_of(across) || !down_max.is_multiple_of(down) {
        return Err(Error::Unsupported(
            "sampling factors whose ratio is not a whole number",
        ));
    }
    Ok(match (across_max / across, down_max / down) {
        (1, 1) => Upsampling::None,
        (2, 1) if may_filter && width > 2 => Upsampling::Across,
        (1, 2) if may_filter => Upsampling::Down,
        (2, 2) if may_filter && width > 2 => Upsampling::Both,
        (across, down) => Upsampling::Repeat { across, down },
    })
}

/// The samples that `pixels` depend on.
fn needed(
    pixels: &Range<usize>,
    factor: usize,
    has_neighbours: bool,
    samples: usize,
) -> Range<usize> {
    let (start, end) = (pixels.start / factor, pixels.end.div_ceil(factor));
    if has_neighbours {
        start.saturating_sub(1)..(end + 1).min(samples)
    } else {
        start..end
    }
}
