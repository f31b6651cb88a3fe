//! Skips coefficients that are not needed, several symbols with one look-up.

use crate::huffman::{Codes, NONE};

/// Bits that a look-up covers.
const SKIP_BITS: u32 = 13;

/// How far the next bits lead, whole symbols at a time.
pub(crate) struct Skips(Box<[Skip; 1 << SKIP_BITS]>);

/// Whole symbols. From the lowest byte: their bits; their coefficients, at most 63, with the top bit set if the end of the
/// block follows them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Skip(u16);

const ENDS_BLOCK: u16 = 0x8000;

impl Skips {
    /// Number of look-ups for which the bits of one refill are enough.
    pub(crate) const PER_REFILL: u32 = 56 / SKIP_BITS;

    pub(crate) fn new(codes: &Codes) -> Self {
        let mut skips = Box::new([Skip::default(); 1 << SKIP_BITS]);
        for (skip, index) in skips.iter_mut().zip(0u64..) {
            *skip = Skip::new(codes, index << (64 - SKIP_BITS));
        }
        Self(skips)
    }

    #[inline(always)]
    pub(crate) fn get(&self, bits: u64) -> Skip {
        self.0[(bits >> (64 - SKIP_BITS)) as usize]
    }
}

impl Skip {
    fn new(codes: &Codes, mut bits: u64) -> Self {
        let (mut used, mut advance) = (0, 0);
        let mut ends = 0;
        loop {
            let symbol = codes.short_symbol(bits);
            let (used_then, advance_then) = (used + symbol.bits(), advance + symbol.run() + 1);
            if symbol == NONE || used_then > SKIP_BITS {
                break;
            }
            if symbol.ends_block() {
                (used, ends) = (used_then, ENDS_BLOCK);
                break;
            }
            if advance_then > 63 {
                break;
            }
            (used, advance) = (used_then, advance_then);
            bits <<= symbol.bits();
        }
        let advance = u16::try_from(advance << 8).expect("at most 63");
        Self(u16::try_from(used).expect("at most `SKIP_BITS`") | advance | ends)
    }

    /// Bits of the symbols; 0 if the first symbol is too long for the table.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        (self.0 & 0xFF).into()
    }

    /// Coefficients that the symbols stand for.
    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        (self.0 >> 8 & 63).into()
    }

    #[inline(always)]
    pub(crate) fn ends_block(self) -> bool {
        self.0 & ENDS_BLOCK != 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::huffman::CodeList;
    use crate::standard;

    /// The skip for these bits, and zeroes after them.
    fn skip(codes: &Codes, bits: &str) -> (u32, usize, bool) {
        let digits = bits.replace(' ', "");
        let at_bottom = u64::from_str_radix(&digits, 2).unwrap();
        let skip = Skips::new(codes).get(at_bottom << (64 - digits.len()));
        (skip.bits(), skip.advance(), skip.ends_block())
    }

    /// The codes are those of T.81, table K.5: `00` for a value of one bit, `01` of two, `100` of three; `1010` for the end of
    /// the block, `11111111001` for 16 zeroes, and `1111010` for five zeroes and a value of one bit.
    #[test]
    fn skips_as_many_whole_symbols_as_fit() {
        let (counts, symbols) = standard::AC_LUMINANCE;
        let codes = Codes::of_ac(&CodeList::new(counts, symbols).unwrap()).unwrap();
        for (bits, expected) in [
            ("1010 111111111", (4, 0, true)),
            ("00 1 00 0 1010 111", (10, 2, true)),
            ("00 1 00 0 01 10 1010", (10, 3, false)),
            ("01 10 01 11 01 10 1", (12, 3, false)),
            ("00 1 00 0 00 1 100 1", (9, 3, false)),
            ("1111010 1 00 0 10", (11, 7, false)),
            ("00 1 1111111100", (3, 1, false)),
            ("11111111001 00", (0, 0, false)),
        ] {
            assert_eq!(skip(&codes, bits), expected, "{bits}");
        }
    }

    /// A code of one bit for 16 zeroes: three of them are 48 coefficients, and a fourth would be more than a block has.
    #[test]
    fn skips_fewer_coefficients_than_a_block_has() {
        let mut counts = [0; 16];
        counts[0] = 1;
        let codes = Codes::of_ac(&CodeList::new(counts, &[0xF0]).unwrap()).unwrap();
        assert_eq!(skip(&codes, "0000000000000"), (3, 48, false));
    }
}
