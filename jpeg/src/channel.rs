//! One component from bits to samples.

use fearless_simd::Simd;

use crate::Error;
use crate::bits::Bits;
use crate::block;
use crate::header::{Component, Header};
use crate::huffman::{Codes, Skips};
use crate::idct;
use crate::plane::Plane;
use crate::region::{Region, Scale};

/// Making a table for skipping takes as long as it saves on about so many blocks.
const SKIPPED_BLOCKS_MIN: usize = 2048;

/// The decoding tables, by the numbers that components refer to; several components may share one.
pub(crate) struct Tables {
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
}

impl Tables {
    pub(crate) fn new(header: &Header<'_>) -> Self {
        let mut tables = Self {
            dc: [const { None }; 4],
            ac: [const { None }; 4],
        };
        for component in &header.components {
            tables.dc[component.dc_table]
                .get_or_insert_with(|| Codes::of_dc(header.dc_codes(component)));
            tables.ac[component.ac_table]
                .get_or_insert_with(|| Codes::of_ac(header.ac_codes(component)));
        }
        tables
    }
}

/// One component while it is decoded.
pub(crate) struct Channel<'t> {
    pub(crate) plane: Plane,
    dc: &'t Codes,
    ac: &'t Codes,
    /// Where enough blocks are skipped to make up for making it.
    skips: Option<Skips>,
    factors: [i16; 64],
    blocks_across: usize,
    blocks_down: usize,
    /// The first coefficient of the block before, not dequantised.
    pub(crate) prediction: i16,
}

impl<'t> Channel<'t> {
    pub(crate) fn new(
        header: &Header<'_>,
        component: &Component,
        tables: &'t Tables,
        scale: Scale,
        region: Region,
    ) -> Result<Self, Error> {
        const MADE: &str = "`Tables::new` makes those of each component";
        let plane = Plane::new(header, component, scale, region)?;
        let ac = tables.ac[component.ac_table].as_ref().expect(MADE);
        let skips = (plane.blocks_skipped >= SKIPPED_BLOCKS_MIN).then(|| Skips::new(ac));
        Ok(Self {
            plane,
            dc: tables.dc[component.dc_table].as_ref().expect(MADE),
            ac,
            skips,
            factors: header.factors(component),
            blocks_across: component.blocks_across,
            blocks_down: component.blocks_down,
            prediction: 0,
        })
    }

    /// Goes past a block's coefficients after the first.
    #[inline(always)]
    fn skip(&self, bits: &mut Bits<'_>) -> Result<(), Error> {
        match &self.skips {
            Some(skips) => block::skip_many(bits, self.ac, skips),
            None => block::skip(bits, self.ac),
        }
    }

    /// Decodes the component's part of one unit, or goes past it if it is not `needed`.
    #[inline(always)]
    pub(crate) fn decode_unit<S: Simd>(
        &mut self,
        simd: S,
        bits: &mut Bits<'_>,
        unit: usize,
        needed: bool,
    ) -> Result<(), Error> {
        for row in 0..self.blocks_down {
            for column in unit * self.blocks_across..(unit + 1) * self.blocks_across {
                bits.prepare_block()?;
                let needed = needed && self.plane.columns.contains(&column);
                self.decode_block(simd, bits, column, row, needed)?;
            }
        }
        Ok(())
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
        column: usize,
        row: usize,
        needed: bool,
    ) -> Result<(), Error> {
        let difference = block::read_difference(bits, self.dc)?;
        self.prediction = self.prediction.wrapping_add(difference as i16);
        if !needed {
            return self.skip(bits);
        }
        let dc = self.prediction.wrapping_mul(self.factors[0]);
        let side = self.plane.side;
        if side == 1 {
            self.skip(bits)?;
            self.plane.block(column, row).0[0] = idct::flat(dc);
            return Ok(());
        }
        let mut coefficients = [0; 64];
        let last = block::read(bits, self.ac, &self.factors, &mut coefficients)?;
        let (samples, stride) = self.plane.block(column, row);
        if last == 0 {
            for line in samples.chunks_mut(stride).take(side) {
                line[..side].fill(idct::flat(dc));
            }
            return Ok(());
        }
        coefficients[0] = dc;
        match side {
            2 => idct::quarter(simd, &coefficients, samples, stride),
            4 => idct::half(simd, &coefficients, samples, stride),
            _ => idct::whole(simd, &coefficients, samples, stride),
        }
        Ok(())
    }
}
