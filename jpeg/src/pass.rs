//! One of several scans, from bits to coefficients.

use fearless_simd::Simd;

use crate::Error;
use crate::bits::Bits;
use crate::block;
use crate::coefficients::Store;
use crate::frame::{Frame, Process};
use crate::header::{ScanHeader, Segments};
use crate::huffman::Codes;
use crate::level::{self, Work};
use crate::progressive::Band;
use crate::restart::Restarts;
use crate::tables::Factors;

/// What a scan adds to each of its blocks.
#[derive(Clone, Copy)]
enum Kind {
    /// All coefficients.
    Whole,
    /// The first coefficient without its lowest bits; the number says how many.
    First(u32),
    /// This bit of the first coefficient.
    FirstBit(u32),
    Band(Band),
    BandBit(Band),
    /// Nothing that the region needs.
    Nothing,
}

/// A scan while it is read.
pub(crate) struct Pass<'a> {
    bits: Bits<'a>,
    restarts: Restarts,
    kind: Kind,
    parts: Vec<Part>,
    /// Units in a row, and the number of rows that are read.
    units: usize,
    rows: usize,
    /// How many of these rows of units make up one row of interleaved units of the frame.
    rows_per_unit_row: usize,
    /// Number of further blocks whose band is zero.
    blocks_ended: u32,
}

/// One component's part of a scan.
struct Part {
    index: usize,
    dc: Option<Codes>,
    ac: Option<Codes>,
    /// Blocks in a unit.
    across: usize,
    down: usize,
    /// The first coefficient of the previous block.
    prediction: i16,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        frame: &Frame,
        scan: &ScanHeader,
        segments: &Segments<'a>,
        stores: &[Store],
    ) -> Result<Self, Error> {
        let kind = Kind::new(frame.process, scan, stores);
        let is_interleaved = scan.components.len() > 1;
        let mut parts = Vec::with_capacity(scan.components.len());
        for part in &scan.components {
            let component = &frame.components[part.index];
            let (dc, ac) = kind.codes(segments, part.dc_table, part.ac_table)?;
            parts.push(Part {
                index: part.index,
                dc,
                ac,
                across: if is_interleaved {
                    component.blocks_across
                } else {
                    1
                },
                down: if is_interleaved {
                    component.blocks_down
                } else {
                    1
                },
                prediction: 0,
            });
        }
        let alone = &frame.components[scan.components[0].index];
        let rows_of = |part: &Part| stores[part.index].rows_end().div_ceil(part.down);
        let rows = parts.iter().map(rows_of).max().unwrap_or(0);
        Ok(Self {
            bits: Bits::new(segments.cursor.rest()),
            restarts: Restarts::new(segments.restart_units),
            kind,
            units: if is_interleaved {
                frame.units()
            } else {
                frame.blocks(alone).0
            },
            rows: match kind {
                Kind::Nothing => 0,
                _ => rows,
            },
            rows_per_unit_row: if is_interleaved { 1 } else { alone.blocks_down },
            parts,
            blocks_ended: 0,
        })
    }

    /// How many blocks the scan visits.
    pub(crate) fn blocks(&self) -> usize {
        let in_unit: usize = self.parts.iter().map(|part| part.across * part.down).sum();
        self.rows * self.units * in_unit
    }

    /// Reads what the region needs into `stores`. Returns the first row of interleaved units that the file does not contain
    /// completely.
    pub(crate) fn run(&mut self, stores: &mut [Store]) -> Option<usize> {
        let mut cut_at = None;
        level::run(Running {
            pass: self,
            stores,
            cut_at: &mut cut_at,
        });
        cut_at.map(|row| row / self.rows_per_unit_row)
    }

    /// The bytes after the scan, perhaps preceded by the rest of it.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bits.rest()
    }

    #[inline(always)]
    fn read_row(&mut self, stores: &mut [Store], row: usize) {
        for unit in 0..self.units {
            if self.restarts.pass(&mut self.bits) {
                self.blocks_ended = 0;
                self.parts.iter_mut().for_each(|part| part.prediction = 0);
            }
            if self.bits.is_exhausted() {
                continue;
            }
            for part in &mut self.parts {
                let store = &mut stores[part.index];
                for row in row * part.down..(row + 1) * part.down {
                    for column in unit * part.across..(unit + 1) * part.across {
                        self.bits.prepare_block();
                        part.read_block(
                            self.kind,
                            &mut self.bits,
                            &mut self.blocks_ended,
                            store,
                            (column, row),
                        );
                    }
                }
            }
        }
    }
}

struct Running<'r, 'a> {
    pass: &'r mut Pass<'a>,
    stores: &'r mut [Store],
    cut_at: &'r mut Option<usize>,
}

impl Work for Running<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for row in 0..self.pass.rows {
            self.pass.read_row(self.stores, row);
            if self.pass.bits.is_cut() {
                *self.cut_at = Some(row);
                return;
            }
        }
    }
}

impl Kind {
    fn new(process: Process, scan: &ScanHeader, stores: &[Store]) -> Self {
        let band = Band {
            first: scan.first,
            last: scan.last,
            shift: scan.shift,
        };
        let is_needed = |index: usize| !stores[index].holds_only_first();
        match (process, scan.first, scan.refines) {
            (Process::Sequential, ..) => Self::Whole,
            (Process::Progressive, 0, false) => Self::First(scan.shift),
            (Process::Progressive, 0, true) => Self::FirstBit(scan.shift),
            _ if !scan.components.iter().any(|part| is_needed(part.index)) => Self::Nothing,
            (Process::Progressive, _, false) => Self::Band(band),
            (Process::Progressive, _, true) => Self::BandBit(band),
        }
    }

    /// The codes that a scan of this kind uses.
    fn codes(
        self,
        segments: &Segments<'_>,
        dc_table: usize,
        ac_table: usize,
    ) -> Result<(Option<Codes>, Option<Codes>), Error> {
        let tables = &segments.tables;
        Ok(match self {
            Self::Whole => (
                Some(tables.dc_codes(dc_table)?),
                Some(tables.ac_codes(ac_table)?),
            ),
            Self::First(_) => (Some(tables.dc_codes(dc_table)?), None),
            Self::Band(_) | Self::BandBit(_) => (None, Some(tables.progressive_codes(ac_table)?)),
            Self::FirstBit(_) | Self::Nothing => (None, None),
        })
    }
}

/// Coefficients are stored as they are coded.
const NOT_DEQUANTISED: Factors = [1; 64];

impl Part {
    #[inline(always)]
    fn read_block(
        &mut self,
        kind: Kind,
        bits: &mut Bits<'_>,
        blocks_ended: &mut u32,
        store: &mut Store,
        (column, row): (usize, usize),
    ) {
        match (kind, &self.dc, &self.ac) {
            (Kind::Whole, Some(dc), Some(ac)) => {
                self.prediction = next_first(bits, dc, self.prediction);
                if !store.is_kept(column, row) || store.holds_only_first() {
                    *store.first(column, row) = self.prediction;
                    return block::skip(bits, ac);
                }
                let kept = store.block(column, row);
                kept.coefficients.fill(0);
                let last = block::read(bits, ac, &NOT_DEQUANTISED, kept.coefficients);
                kept.coefficients[0] = self.prediction;
                *kept.nonzero = if last > 0 { u64::MAX } else { 0 };
            }
            (Kind::First(shift), Some(dc), _) => {
                self.prediction = next_first(bits, dc, self.prediction);
                *store.first(column, row) = self.prediction << shift;
            }
            (Kind::FirstBit(shift), ..) => {
                let (window, mut head) = bits.open();
                let bit = i16::from(head.bit(window));
                bits.keep(head);
                *store.first(column, row) |= bit << shift;
            }
            (Kind::Band(band), _, Some(ac)) => {
                band.read(bits, ac, blocks_ended, &mut store.block(column, row));
            }
            (Kind::BandBit(band), _, Some(ac)) => {
                band.refine(bits, ac, blocks_ended, &mut store.block(column, row));
            }
            _ => {}
        }
    }
}

#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "libjpeg keeps 16 bits, too"
)]
fn next_first(bits: &mut Bits<'_>, codes: &Codes, before: i16) -> i16 {
    before.wrapping_add(block::read_difference(bits, codes) as i16)
}
