//! Quantisation and Huffman tables as segments define them, or as the standard suggests if none do.

use crate::Error;
use crate::huffman::{CodeList, Codes};
use crate::marker::Cursor;
use crate::standard;

/// Most tables of each kind.
pub(crate) const TABLES: usize = 4;

/// Factors in zigzag order. They are signed like the coefficients: products wrap as libjpeg-turbo's 16-bit products do.
pub(crate) type Factors = [i16; 64];

/// The tables that are in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    quantisation: [Option<[u16; 64]>; TABLES],
    dc: [Option<Box<CodeList>>; TABLES],
    ac: [Option<Box<CodeList>>; TABLES],
}

impl Tables {
    pub(crate) fn define_quantisation(&mut self, mut segment: Cursor<'_>) -> Result<(), Error> {
        while !segment.is_empty() {
            let kind = segment.byte()?;
            let table = self
                .quantisation
                .get_mut(usize::from(kind & 15))
                .ok_or(Error::Damaged("it defines a table that cannot exist"))?;
            let mut factors = [0; 64];
            for factor in &mut factors {
                *factor = match kind >> 4 {
                    0 => segment.byte()?.into(),
                    _ => segment.word()?,
                };
            }
            *table = Some(factors);
        }
        Ok(())
    }

    pub(crate) fn define_huffman(&mut self, mut segment: Cursor<'_>) -> Result<(), Error> {
        while !segment.is_empty() {
            let kind = segment.byte()?;
            let tables = match kind >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(Error::Damaged("a Huffman table is of an unknown class")),
            };
            let table = tables
                .get_mut(usize::from(kind & 15))
                .ok_or(Error::Damaged("it defines a table that cannot exist"))?;
            let counts = segment.array()?;
            let symbols = segment.take(counts.iter().map(|&n| usize::from(n)).sum())?;
            *table = Some(Box::new(CodeList::new(counts, symbols)?));
        }
        Ok(())
    }

    #[allow(clippy::cast_possible_wrap, reason = "16-bit products are the same")]
    pub(crate) fn factors(&self, table: usize) -> Result<Factors, Error> {
        const MISSING: Error = Error::Damaged("a quantisation table is missing");
        let factors = self.quantisation.get(table).ok_or(MISSING)?;
        Ok(factors.ok_or(MISSING)?.map(|factor| factor as i16))
    }

    /// The codes of the first coefficients' differences.
    pub(crate) fn dc_codes(&self, table: usize) -> Result<Codes, Error> {
        let standard = [standard::DC_LUMINANCE, standard::DC_CHROMINANCE];
        let list = defined_or_standard(&self.dc, standard, table)?;
        list.check_dc()?;
        Codes::of_dc(&list)
    }

    /// The codes of sequential coefficients.
    pub(crate) fn ac_codes(&self, table: usize) -> Result<Codes, Error> {
        Codes::of_ac(&self.ac_list(table)?)
    }

    /// The codes of progressive coefficients.
    pub(crate) fn progressive_codes(&self, table: usize) -> Result<Codes, Error> {
        Codes::of_progressive_ac(&self.ac_list(table)?)
    }

    fn ac_list(&self, table: usize) -> Result<CodeList, Error> {
        let standard = [standard::AC_LUMINANCE, standard::AC_CHROMINANCE];
        defined_or_standard(&self.ac, standard, table)
    }
}

fn defined_or_standard(
    defined: &[Option<Box<CodeList>>; TABLES],
    standard: [standard::Standard; 2],
    table: usize,
) -> Result<CodeList, Error> {
    if let Some(Some(list)) = defined.get(table) {
        return Ok((**list).clone());
    }
    let &(counts, symbols) = standard
        .get(table)
        .ok_or(Error::Damaged("a Huffman table is missing"))?;
    CodeList::new(counts, symbols)
}
