//! Files with several scans: first all coefficients are read, then they become samples and pixels.

use fearless_simd::Simd;

use crate::Error;
use crate::application::Colour;
use crate::block::{Coefficients, ZIGZAG};
use crate::coefficients::Store;
use crate::frame::COMPONENTS_MAX;
use crate::header::{Header, ScanHeader, Segments};
use crate::idct;
use crate::level::{self, Work};
use crate::marker;
use crate::output::Output;
use crate::pass::Pass;
use crate::tables::Factors;

/// Most scans of a file: encoders write about ten, optimisers some twenty.
const SCANS_MAX: usize = 100;
/// Most blocks that all scans together may visit. A usual file of 25 megapixels has 6 million; an endless one could have a
/// hundred times as many, at some 10 ns each.
const BLOCKS_READ_MAX: usize = 40_000_000;

/// One component between scans.
struct Component {
    /// The factors that were in force at the component's first scan; `None` before it.
    factors: Option<Factors>,
    /// The first row of units that the file does not contain completely.
    cut_at: Option<usize>,
}

/// Decodes the region of `output`. Returns how many rows of the unscaled image are present or not needed.
pub(crate) fn decode(header: &Header<'_>, output: &mut Output) -> Result<u32, Error> {
    let mut stores: Vec<_> = header
        .frame
        .components
        .iter()
        .zip(&output.planes)
        .map(|(component, plane)| {
            let blocks = header.frame.blocks(component);
            Store::new(plane, blocks, component.blocks_down)
        })
        .collect();
    let mut scans = Scans {
        header,
        components: stores
            .iter()
            .map(|_| Component {
                factors: None,
                cut_at: None,
            })
            .collect(),
        stores: &mut stores,
        blocks_left: BLOCKS_READ_MAX,
    };
    let is_cut = scans.read()?;
    let rows_present = scans.rows_present(is_cut);
    let factors = scans.components.iter().map(|c| row_major(c.factors));
    level::run(Transform {
        factors: factors.collect(),
        stores: &stores,
        output,
    });
    Ok(rows_present)
}

struct Scans<'s, 'a> {
    header: &'s Header<'a>,
    components: Vec<Component>,
    stores: &'s mut [Store],
    /// How many more blocks the scans may visit.
    blocks_left: usize,
}

impl Scans<'_, '_> {
    /// Reads all scans. Returns whether the file lacks its end marker.
    fn read(&mut self) -> Result<bool, Error> {
        let mut segments = self.header.segments.clone();
        let mut scan = self.header.scan.clone();
        for _ in 0..SCANS_MAX {
            let next = self
                .read_one(&scan, &mut segments)
                .and_then(|()| segments.next_scan());
            scan = match next {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(!segments.has_ended),
                Err(marker::TRUNCATED) => return Ok(true),
                // Scans after every component's first only refine the image, so damage there is no error.
                Err(Error::Damaged(_)) if self.components.iter().all(|c| c.factors.is_some()) => {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            };
        }
        Err(Error::Unsupported("more than 100 scans"))
    }

    fn read_one(&mut self, scan: &ScanHeader, segments: &mut Segments<'_>) -> Result<(), Error> {
        let frame = &self.header.frame;
        let mut pass = Pass::new(frame, scan, segments, self.stores)?;
        self.blocks_left = self
            .blocks_left
            .checked_sub(pass.blocks())
            .ok_or(Error::Unsupported("more scans than its size allows"))?;
        let indices = || scan.components.iter().map(|part| part.index);
        let mut first = [false; COMPONENTS_MAX];
        for index in indices() {
            let component = &mut self.components[index];
            if component.factors.is_none() {
                let table = frame.components[index].quantisation;
                component.factors = Some(segments.tables.factors(table)?);
                first[index] = true;
            }
        }
        let cut_at = pass.run(self.stores);
        for index in indices().filter(|&index| first[index]) {
            self.components[index].cut_at = cut_at;
        }
        segments.cursor = marker::Cursor::new(pass.rest());
        Ok(())
    }

    /// How many rows are present of the components without which the image would look like another one.
    fn rows_present(&self, is_cut: bool) -> u32 {
        let is_vital = |index: usize| match self.header.colour {
            Colour::YCbCr => index == 0,
            Colour::Ycck => index == 0 || index == 3,
            Colour::Rgb | Colour::Cmyk => true,
        };
        let rows = |component: &Component| match component.factors {
            None if is_cut => 0,
            _ => self.header.frame.rows_before(component.cut_at),
        };
        let components = self.components.iter().enumerate();
        let vital = components.filter(|&(index, _)| is_vital(index));
        vital
            .map(|(_, component)| rows(component))
            .min()
            .unwrap_or(0)
    }
}

/// Factors in the order of a block's coefficients. A component that is in no scan has only zeroes.
fn row_major(factors: Option<Factors>) -> Factors {
    let mut row_major = [0; 64];
    for (place, factor) in ZIGZAG.iter().zip(factors.unwrap_or([0; 64])) {
        row_major[usize::from(*place)] = factor;
    }
    row_major
}

struct Transform<'t> {
    stores: &'t [Store],
    factors: Vec<Factors>,
    output: &'t mut Output,
}

impl Work for Transform<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for unit_row in 0..self.output.unit_rows_end() {
            self.output.start_row(unit_row);
            let components = self.stores.iter().zip(&self.factors);
            for ((store, factors), plane) in components.zip(&mut self.output.planes) {
                if !plane.unit_rows.contains(&unit_row) {
                    continue;
                }
                let rows = plane.rows_per_unit();
                for row in 0..rows {
                    for column in plane.columns.clone() {
                        let (first, block) = store.get(column, unit_row * rows + row);
                        match block {
                            Some(block) => {
                                let dequantised = dequantise(block, factors);
                                plane.transform_block(simd, column, row, &dequantised);
                            }
                            None => {
                                let sample = idct::flat(first.wrapping_mul(factors[0]));
                                plane.fill_block(column, row, sample);
                            }
                        }
                    }
                }
            }
            self.output.finish_row(simd, unit_row);
        }
    }
}

#[inline(always)]
fn dequantise(block: &Coefficients, factors: &Factors) -> Coefficients {
    let mut dequantised = *block;
    for (coefficient, factor) in dequantised.iter_mut().zip(factors) {
        *coefficient = coefficient.wrapping_mul(*factor);
    }
    dequantised
}
