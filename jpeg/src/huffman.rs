//! Huffman codes as tables that are indexed by the next bits (T.81, annexes C and F.2.2.3).

use crate::Error;

/// Codes of up to this many bits are found with one look-up.
const LOOKUP_BITS: u32 = 10;
const CODE_BITS_MAX: u32 = 16;
/// How many bits libjpeg consumes for a code that is in no table, before it decodes a zero.
const BAD_CODE_BITS: u8 = 17;
/// The run of the symbol that ends a block: more coefficients than any block has.
const END_OF_BLOCK: u8 = 64;

const OVERFULL: Error = Error::Damaged("a Huffman table has too many codes");

/// The codes of a DHT segment: how many there are of each length, and their symbols, shortest first.
#[derive(Clone, Debug)]
pub(crate) struct CodeList {
    counts: [u8; 16],
    symbols: [u8; 256],
    total: usize,
}

impl CodeList {
    pub(crate) fn new(counts: [u8; 16], values: &[u8]) -> Result<Self, Error> {
        let mut symbols = [0; 256];
        symbols
            .get_mut(..values.len())
            .ok_or(OVERFULL)?
            .copy_from_slice(values);
        Ok(Self {
            counts,
            symbols,
            total: values.len(),
        })
    }

    /// Called when a scan uses the table: an unused table may be wrong.
    fn check_lengths(&self) -> Result<(), Error> {
        let mut code = 0u32;
        for (&count, length) in self.counts.iter().zip(1..) {
            code += u32::from(count);
            // The code of all ones must stay unused.
            if code >= 1 << length {
                return Err(OVERFULL);
            }
            code <<= 1;
        }
        Ok(())
    }

    /// The symbols of a DC table are bit counts.
    pub(crate) fn check_dc(&self) -> Result<(), Error> {
        if self.symbols[..self.total].iter().any(|&symbol| symbol > 15) {
            return Err(Error::Damaged("a difference has too many bits"));
        }
        Ok(())
    }
}

/// What one code stands for: `run` zeroes, then a value of `size` bits that follow the code. From the lowest byte: bits of
/// code and value together, bits of the code, `size`, `run`. It is a single integer so that it stays in a register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symbol(u32);

/// No code begins like this, or the code is too long for the look-up.
pub(crate) const NONE: Symbol = Symbol(0);

impl Symbol {
    fn ac(code_bits: u8, symbol: u8) -> Self {
        let (run, size) = (symbol >> 4, symbol & 15);
        // Without a value, every symbol but a run of 15 zeroes ends the block.
        let run = if size == 0 && run != 15 {
            END_OF_BLOCK
        } else {
            run
        };
        Self(u32::from_le_bytes([code_bits + size, code_bits, size, run]))
    }

    fn dc(code_bits: u8, size: u8) -> Self {
        Self(u32::from_le_bytes([code_bits + size, code_bits, size, 0]))
    }

    /// Without a value, all runs but 15 end the band in one or more blocks.
    fn progressive_ac(code_bits: u8, symbol: u8) -> Self {
        let (run, size) = (symbol >> 4, symbol & 15);
        Self(u32::from_le_bytes([code_bits + size, code_bits, size, run]))
    }

    /// Bits of the code and of the value after it.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        self.0 & 0xFF
    }

    /// Bits of the code alone.
    #[inline(always)]
    pub(crate) fn code_bits(self) -> u32 {
        self.0 >> 8 & 31
    }

    /// Bits of the value alone.
    #[inline(always)]
    pub(crate) fn size(self) -> u32 {
        self.0 >> 16 & 15
    }

    /// Zeroes before the value.
    #[inline(always)]
    pub(crate) fn run(self) -> usize {
        (self.0 >> 24) as usize
    }

    #[inline(always)]
    pub(crate) fn ends_block(self) -> bool {
        self.run() == usize::from(END_OF_BLOCK)
    }

    /// The value after the code at the top of `bits` (T.81, F.2.2.1): the upper half of its range is positive, the lower
    /// negative.
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "numbers have at most 15 bits"
    )]
    pub(crate) fn number(self, bits: u64) -> i32 {
        let size = (self.0 >> 16) & 15;
        let after = bits << ((self.0 >> 8) & 31);
        let number = (after >> 1 >> (63 - size)) as i32;
        let is_negative = !(after.cast_signed() >> 63) as i32;
        number - (is_negative & ((1 << size) - 1))
    }
}

/// A table of codes, ready to decode.
pub(crate) struct Codes {
    lookup: Box<[Symbol; 1 << LOOKUP_BITS]>,
    /// For each length, the first 16-bit value beyond its codes.
    limits: [u32; CODE_BITS_MAX as usize + 1],
    /// For each length, the index of the first code's symbol, less the first code.
    offsets: [u32; CODE_BITS_MAX as usize + 1],
    symbols: [u8; 256],
    read: fn(u8, u8) -> Symbol,
}

impl Codes {
    pub(crate) fn of_dc(list: &CodeList) -> Result<Self, Error> {
        Self::new(list, Symbol::dc)
    }

    pub(crate) fn of_ac(list: &CodeList) -> Result<Self, Error> {
        Self::new(list, Symbol::ac)
    }

    pub(crate) fn of_progressive_ac(list: &CodeList) -> Result<Self, Error> {
        Self::new(list, Symbol::progressive_ac)
    }

    fn new(list: &CodeList, read: fn(u8, u8) -> Symbol) -> Result<Self, Error> {
        list.check_lengths()?;
        let mut codes = Self {
            lookup: Box::new([Symbol::default(); 1 << LOOKUP_BITS]),
            limits: [0; CODE_BITS_MAX as usize + 1],
            offsets: [0; CODE_BITS_MAX as usize + 1],
            symbols: list.symbols,
            read,
        };
        let (mut code, mut place) = (0u32, 0usize);
        for (&count, length) in list.counts.iter().zip(1u8..) {
            let (bits, slot) = (u32::from(length), usize::from(length));
            codes.offsets[slot] = u32::try_from(place)
                .expect("at most 256")
                .wrapping_sub(code);
            for &symbol in &list.symbols[place..][..usize::from(count)] {
                if bits <= LOOKUP_BITS {
                    let from = (code << (LOOKUP_BITS - bits)) as usize;
                    codes.lookup[from..][..1 << (LOOKUP_BITS - bits)].fill(read(length, symbol));
                }
                code += 1;
            }
            place += usize::from(count);
            codes.limits[slot] = code << (CODE_BITS_MAX - bits);
            code <<= 1;
        }
        Ok(codes)
    }

    /// The symbol at the top of `bits`. An invalid code stands for zero, as in libjpeg.
    #[inline(always)]
    pub(crate) fn symbol(&self, bits: u64) -> Symbol {
        let mut symbol = self.short_symbol(bits);
        if symbol == NONE {
            symbol = self.long_symbol(bits);
        }
        symbol
    }

    /// As [`Self::symbol`], or [`NONE`] if one look-up does not find it.
    #[inline(always)]
    pub(crate) fn short_symbol(&self, bits: u64) -> Symbol {
        self.lookup[(bits >> (64 - LOOKUP_BITS)) as usize]
    }

    #[cold]
    #[inline(never)]
    #[allow(clippy::cast_possible_truncation, reason = "the top 16 bits")]
    fn long_symbol(&self, bits: u64) -> Symbol {
        let top = (bits >> (64 - CODE_BITS_MAX)) as u32;
        for length in LOOKUP_BITS as u8 + 1..=CODE_BITS_MAX as u8 {
            if top < self.limits[usize::from(length)] {
                let code = top >> (CODE_BITS_MAX - u32::from(length));
                let place = self.offsets[usize::from(length)].wrapping_add(code);
                return (self.read)(length, self.symbols[place as usize & 255]);
            }
        }
        (self.read)(BAD_CODE_BITS, 0)
    }
}
