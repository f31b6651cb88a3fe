//! The scan: row by row of interleaved units decode, transform, upsample and convert.

use fearless_simd::{Level, Simd};

use crate::Error;
use crate::bits::Bits;
use crate::channel::{Channel, Tables};
use crate::colour;
use crate::header::{Colour, Header};
use crate::region::{Region, Scale};

const CHANNELS: usize = 3;
/// Bits of the shortest block: one for its difference, one for its end.
const BLOCK_BITS_MIN: u64 = 2;

/// A scan while it is decoded.
pub(crate) struct Scan<'t> {
    bits: Bits<'t>,
    channels: Vec<Channel<'t>>,
    colour: Colour,
    restart_units: u32,
    /// Interleaved units in a row of the picture, and such rows.
    units: usize,
    unit_rows: usize,
    /// Rows of the scaled picture in a row of units.
    rows_per_unit: usize,
    region: Region,
    pixels: Vec<u8>,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(
        header: &Header<'t>,
        tables: &'t Tables,
        scale: Scale,
        region: Region,
    ) -> Result<Self, Error> {
        let across = header
            .components
            .iter()
            .map(|c| c.blocks_across)
            .max()
            .unwrap_or(1);
        let down = header
            .components
            .iter()
            .map(|c| c.blocks_down)
            .max()
            .unwrap_or(1);
        let blocks: usize = header
            .components
            .iter()
            .map(|c| c.blocks_across * c.blocks_down)
            .sum();
        let units = (header.width as usize).div_ceil(8 * across);
        let unit_rows = (header.height as usize).div_ceil(8 * down);
        let rows_per_unit = down * scale.block_side();

        // Nobody gets a large buffer by a large header alone.
        let rows_read = (region.top as usize + region.height as usize).div_ceil(rows_per_unit);
        let blocks_read = rows_read as u64 * units as u64 * blocks as u64;
        if blocks_read * BLOCK_BITS_MIN > header.scan.len() as u64 * 8 {
            return Err(Error::Damaged("it is too short for its dimensions"));
        }
        let channels = header
            .components
            .iter()
            .map(|component| Channel::new(header, component, tables, scale, region))
            .collect::<Result<_, _>>()?;
        let pixels = region.width as usize * region.height as usize * CHANNELS;
        Ok(Self {
            bits: Bits::new(header.scan),
            channels,
            colour: header.colour,
            restart_units: header.restart_units,
            units,
            unit_rows,
            rows_per_unit,
            region,
            pixels: vec![0; pixels],
        })
    }

    pub(crate) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Decodes with the best vector instructions of this machine.
    pub(crate) fn run(&mut self) -> Result<(), Error> {
        let level = Level::new();
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = level.as_avx2() {
            return simd.vectorize(
                #[inline(always)]
                || self.run_with(simd),
            );
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = level.as_sse2() {
            return self.run_with(simd);
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(simd) = level.as_neon() {
            return self.run_with(simd);
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        if let Some(simd) = level.as_wasm_simd128() {
            return self.run_with(simd);
        }
        let _ = level;
        self.run_with(fearless_simd::Fallback::new())
    }

    #[inline(always)]
    fn run_with<S: Simd>(&mut self, simd: S) -> Result<(), Error> {
        let needed = |channel: &Channel<'_>| channel.plane.unit_rows.clone();
        let last = self
            .channels
            .iter()
            .map(|channel| needed(channel).end)
            .max()
            .unwrap_or(0);
        let looks_down = self
            .channels
            .iter()
            .any(|channel| channel.plane.upsampling.looks_down());
        let mut until_restart = self.restart_units;
        let mut restart = 0;
        let mut rows_done = 0;
        for unit_row in 0..last {
            for channel in &mut self.channels {
                channel.plane.next_row(unit_row);
            }
            for unit in 0..self.units {
                if self.restart_units > 0 {
                    if until_restart == 0 {
                        self.bits.restart(restart)?;
                        restart = (restart + 1) % 8;
                        until_restart = self.restart_units;
                        self.channels
                            .iter_mut()
                            .for_each(|channel| channel.prediction = 0);
                    }
                    until_restart -= 1;
                }
                for channel in &mut self.channels {
                    let needed = channel.plane.unit_rows.contains(&unit_row);
                    channel.decode_unit(simd, &mut self.bits, unit, needed)?;
                }
            }
            let rows = (unit_row + 1) * self.rows_per_unit;
            let rows_ready = if unit_row + 1 == self.unit_rows {
                usize::MAX
            } else {
                // The last row's filter waits for the samples below.
                rows - usize::from(looks_down)
            };
            let rows_ready = rows_ready
                .saturating_sub(self.region.top as usize)
                .min(self.region.height as usize);
            self.convert_rows(simd, rows_done, rows_ready);
            rows_done = rows_ready.max(rows_done);
        }
        self.bits.check_end()
    }

    /// Writes these rows of the region.
    #[inline(always)]
    fn convert_rows<S: Simd>(&mut self, simd: S, from: usize, to: usize) {
        if from >= to {
            return;
        }
        for channel in &mut self.channels {
            channel.plane.extend_edges();
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
            match &mut self.channels[..] {
                [a, b, c] => {
                    let lines = [a.plane.row(y), b.plane.row(y), c.plane.row(y)];
                    match self.colour {
                        Colour::Rgb => colour::from_rgb(simd, lines, pixels),
                        _ => colour::from_ycbcr(simd, lines, pixels),
                    }
                }
                [grey, ..] => colour::from_grey(grey.plane.row(y), pixels),
                [] => {}
            }
        }
    }
}
