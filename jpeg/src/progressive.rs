//! The coefficients of one block in a progressive scan (T.81, G.1.2 and G.2), with libjpeg's results for damaged ones.

use crate::bits::{Bits, Head, Window};
use crate::block::{Coefficients, ZIGZAG};
use crate::huffman::{Codes, Symbol};

/// A scan of coefficients after the first: which ones, and down to which bit.
#[derive(Clone, Copy)]
pub(crate) struct Band {
    /// In zigzag order, 1 to 63.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// How many bits are below the ones that this scan brings: 0 to 13.
    pub(crate) shift: u32,
}

/// A block between scans.
pub(crate) struct Block<'c> {
    pub(crate) coefficients: &'c mut Coefficients,
    /// A bit for each non-zero coefficient, in zigzag order.
    pub(crate) nonzero: &'c mut u64,
}

impl Block<'_> {
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "libjpeg keeps 16 bits, too"
    )]
    fn set(&mut self, place: usize, value: i32) {
        let place = place.min(63);
        self.coefficients[usize::from(ZIGZAG[place]) & 63] = value as i16;
        *self.nonzero |= 1 << place;
    }

    /// Moves the coefficient away from zero by `bit`, unless an earlier scan has done so.
    #[inline(always)]
    fn correct(&mut self, place: usize, bit: i16) {
        let coefficient = &mut self.coefficients[usize::from(ZIGZAG[place & 63]) & 63];
        if *coefficient & bit == 0 {
            let step = if *coefficient >= 0 { bit } else { -bit };
            *coefficient = coefficient.wrapping_add(step);
        }
    }
}

impl Band {
    /// Reads the first bits of the band's coefficients. `blocks_ended` counts blocks whose band is zero, starting with this
    /// one.
    #[inline(always)]
    pub(crate) fn read(
        self,
        bits: &mut Bits<'_>,
        codes: &Codes,
        blocks_ended: &mut u32,
        block: &mut Block<'_>,
    ) {
        if *blocks_ended > 0 {
            *blocks_ended -= 1;
            return;
        }
        let (window, mut head) = bits.open();
        let mut k = self.first;
        while k <= self.last {
            head.refill(window);
            let symbol = codes.symbol(head.peek());
            if symbol.size() > 0 {
                k += symbol.run();
                block.set(k, symbol.number(head.peek()) << self.shift);
                head.consume(symbol.bits());
                k += 1;
            } else if symbol.run() == 15 {
                head.consume(symbol.bits());
                k += 16;
            } else {
                *blocks_ended = read_blocks_ended(&mut head, symbol) - 1;
                break;
            }
        }
        bits.keep(head);
    }

    /// Reads one more bit of the band's coefficients: of those that are not zero, and of those that now become non-zero.
    #[inline(always)]
    pub(crate) fn refine(
        self,
        bits: &mut Bits<'_>,
        codes: &Codes,
        blocks_ended: &mut u32,
        block: &mut Block<'_>,
    ) {
        let (window, mut head) = bits.open();
        let bit: i16 = 1 << self.shift;
        let mut k = self.first;
        while *blocks_ended == 0 && k <= self.last {
            head.refill(window);
            let symbol = codes.symbol(head.peek());
            let mut value = 0;
            if symbol.size() > 0 {
                head.consume(symbol.code_bits());
                value = if head.bit(window) { bit } else { -bit };
            } else if symbol.run() == 15 {
                head.consume(symbol.bits());
            } else {
                *blocks_ended = read_blocks_ended(&mut head, symbol);
                break;
            }
            k = self.skip_zeroes(&mut head, window, block, k, symbol.run());
            if value != 0 {
                block.set(k, value.into());
            }
            k += 1;
        }
        if *blocks_ended > 0 {
            *blocks_ended -= 1;
            // Read correction bits up to the end of the band.
            self.skip_zeroes(&mut head, window, block, k, 64);
        }
        bits.keep(head);
    }

    /// Goes from `k` past `zeroes` coefficients that are zero, and corrects the others on the way. Returns the index of the
    /// zero after these, or the one after the band.
    #[inline(always)]
    fn skip_zeroes(
        self,
        head: &mut Head,
        window: &Window,
        block: &mut Block<'_>,
        mut k: usize,
        mut zeroes: usize,
    ) -> usize {
        let bit = 1 << self.shift;
        while k <= self.last {
            // How many zeroes come next.
            let run = ((*block.nonzero >> k).trailing_zeros() as usize).min(self.last + 1 - k);
            if run > zeroes {
                return k + zeroes;
            }
            zeroes -= run;
            k += run;
            if k > self.last {
                break;
            }
            if head.bit(window) {
                block.correct(k, bit);
            }
            k += 1;
        }
        k
    }
}

/// How many blocks end here, including this one: 1 to 32767.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "at most 14 bits")]
fn read_blocks_ended(head: &mut Head, symbol: Symbol) -> u32 {
    head.consume(symbol.code_bits());
    let size = symbol.run() as u32;
    let rest = (head.peek() >> 1 >> (63 - size)) as u32;
    head.consume(size);
    (1 << size) + rest
}
