//! One component of a file's only scan, from bits to samples.

use std::rc::Rc;

use fearless_simd::Simd;

use crate::Error;
use crate::bits::Bits;
use crate::block;
use crate::frame::Frame;
use crate::header::{ScanComponent, Segments};
use crate::huffman::Codes;
use crate::idct;
use crate::plane::Plane;
use crate::skips::Skips;
use crate::tables::Factors;

/// Building a table for skipping takes as long as it saves on about this many blocks.
const SKIPPED_BLOCKS_MIN: usize = 2048;

/// One component while it is decoded.
pub(crate) struct Channel {
    part: ScanComponent,
    // Components share tables, and with them the processor's cache.
    dc: Rc<Codes>,
    ac: Rc<Codes>,
    /// Present if enough blocks are skipped to make up for building it.
    skips: Option<Skips>,
    factors: Factors,
    blocks_across: usize,
    blocks_down: usize,
    /// The first coefficient of the previous block, not dequantised.
    pub(crate) prediction: i16,
}

impl Channel {
    /// `others` are the scan's channels created so far.
    pub(crate) fn new(
        frame: &Frame,
        part: ScanComponent,
        segments: &Segments<'_>,
        plane: &Plane,
        others: &[Self],
    ) -> Result<Self, Error> {
        let component = &frame.components[part.index];
        let tables = &segments.tables;
        let with_dc = others.iter().find(|o| o.part.dc_table == part.dc_table);
        let with_ac = others.iter().find(|o| o.part.ac_table == part.ac_table);
        let dc = match with_dc {
            Some(other) => Rc::clone(&other.dc),
            None => Rc::new(tables.dc_codes(part.dc_table)?),
        };
        let ac = match with_ac {
            Some(other) => Rc::clone(&other.ac),
            None => Rc::new(tables.ac_codes(part.ac_table)?),
        };
        Ok(Self {
            part,
            dc,
            skips: (plane.blocks_skipped >= SKIPPED_BLOCKS_MIN).then(|| Skips::new(&ac)),
            ac,
            factors: tables.factors(component.quantisation)?,
            blocks_across: component.blocks_across,
            blocks_down: component.blocks_down,
            prediction: 0,
        })
    }

    /// Skips a block's coefficients after the first.
    #[inline(always)]
    fn skip(&self, bits: &mut Bits<'_>) {
        match &self.skips {
            Some(skips) => block::skip_many(bits, &self.ac, skips),
            None => block::skip(bits, &self.ac),
        }
    }

    /// Decodes the component's part of one unit, or skips it if it is not `needed`.
    #[inline(always)]
    pub(crate) fn decode_unit<S: Simd>(
        &mut self,
        simd: S,
        bits: &mut Bits<'_>,
        plane: &mut Plane,
        unit: usize,
        needed: bool,
    ) {
        for row in 0..self.blocks_down {
            for column in unit * self.blocks_across..(unit + 1) * self.blocks_across {
                bits.prepare_block();
                let needed = needed && plane.columns.contains(&column);
                self.decode_block(simd, bits, plane, column, row, needed);
            }
        }
    }

    /// Fills a unit whose bits are missing: it becomes mid-grey, coloured by the other components if they are present.
    #[cold]
    #[inline(never)]
    pub(crate) fn blank_unit(&self, plane: &mut Plane, unit: usize, needed: bool) {
        for row in 0..self.blocks_down {
            for column in unit * self.blocks_across..(unit + 1) * self.blocks_across {
                if needed && plane.columns.contains(&column) {
                    plane.fill_block(column, row, idct::flat(0));
                }
            }
        }
    }

    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "libjpeg keeps 16 bits, too"
    )]
    fn decode_block<S: Simd>(
        &mut self,
        simd: S,
        bits: &mut Bits<'_>,
        plane: &mut Plane,
        column: usize,
        row: usize,
        needed: bool,
    ) {
        let difference = block::read_difference(bits, &self.dc);
        self.prediction = self.prediction.wrapping_add(difference as i16);
        if !needed {
            return self.skip(bits);
        }
        let dc = self.prediction.wrapping_mul(self.factors[0]);
        if plane.side == 1 {
            self.skip(bits);
            plane.block(column, row).0[0] = idct::flat(dc);
            return;
        }
        let mut coefficients = [0; 64];
        let last = block::read(bits, &self.ac, &self.factors, &mut coefficients);
        if last == 0 {
            plane.fill_block(column, row, idct::flat(dc));
            return;
        }
        coefficients[0] = dc;
        plane.transform_block(simd, column, row, &coefficients);
    }
}
