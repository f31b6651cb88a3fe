//! The 63 coefficients of a block after its first, coded as runs of zeroes and values (T.81, F.2.2.2).

use crate::bits::{Bits, Head, Window};
use crate::huffman::Codes;
use crate::skips::Skips;

/// Coefficients, row by row: the horizontal frequency varies fastest.
pub(crate) type Coefficients = [i16; 64];

/// Where each coefficient belongs, in the order in which they are coded (T.81, figure A.6).
pub(crate) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Reads the difference between the first coefficient and that of the previous block.
#[inline(always)]
pub(crate) fn read_difference(bits: &mut Bits<'_>, codes: &Codes) -> i32 {
    let (window, mut head) = bits.open();
    head.refill(window);
    let symbol = codes.symbol(head.peek());
    let number = symbol.number(head.peek());
    head.consume(symbol.bits());
    bits.keep(head);
    number
}

/// Reads the coefficients after the first into `block`, which must be zero there, and multiplies them with `factors`, which
/// are in zigzag order. Returns the zigzag index of the last one, 0 if there was none.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "numbers have at most 15 bits and a sign"
)]
pub(crate) fn read(
    bits: &mut Bits<'_>,
    codes: &Codes,
    factors: &[i16; 64],
    block: &mut Coefficients,
) -> usize {
    let (window, mut head) = bits.open();
    let (mut k, mut last) = (1, 0);
    'block: loop {
        head.refill(window);
        // After the first symbol at least 25 bits are left: enough for the second's code, and nearly always for its value.
        for _ in 0..2 {
            let symbol = codes.symbol(head.peek());
            if symbol.bits() > head.available() {
                continue 'block;
            }
            let number = symbol.number(head.peek()) as i16;
            head.consume(symbol.bits());
            k += symbol.run();
            if k >= 64 {
                // A block of more than 64 coefficients is damaged: like libjpeg, keep the surplus one in the last place.
                if symbol.size() > 0 {
                    block[63] = number.wrapping_mul(factors[63]);
                    last = 63;
                }
                break 'block;
            }
            block[usize::from(ZIGZAG[k]) & 63] = number.wrapping_mul(factors[k]);
            last = k;
            k += 1;
            if k == 64 {
                break 'block;
            }
        }
    }
    bits.keep(head);
    last
}

/// Skips the coefficients after the first, symbol by symbol.
#[inline(always)]
pub(crate) fn skip(bits: &mut Bits<'_>, codes: &Codes) {
    let (window, mut head) = bits.open();
    let mut k = 1;
    while k < 64 {
        k = skip_symbol(&mut head, window, codes, k);
    }
    bits.keep(head);
}

/// Skips the coefficients after the first, several symbols at a time.
#[inline(always)]
pub(crate) fn skip_many(bits: &mut Bits<'_>, codes: &Codes, skips: &Skips) {
    let (window, mut head) = bits.open();
    let mut k = 1;
    'block: while k < 64 {
        head.refill(window);
        for _ in 0..Skips::PER_REFILL {
            let skip = skips.get(head.peek());
            let behind = k + skip.advance();
            if skip.bits() == 0 || behind >= 64 {
                k = skip_symbol(&mut head, window, codes, k);
                continue 'block;
            }
            head.consume(skip.bits());
            if skip.ends_block() {
                break 'block;
            }
            k = behind;
        }
    }
    bits.keep(head);
}

/// Skips one symbol at coefficient `k`, and returns the index of the next: 64 after the block's last.
#[inline(always)]
fn skip_symbol(head: &mut Head, window: &Window, codes: &Codes, k: usize) -> usize {
    head.refill(window);
    let symbol = codes.symbol(head.peek());
    head.consume(symbol.bits());
    // The symbol that ends a block has a run of 64.
    (k + symbol.run() + 1).min(64)
}
