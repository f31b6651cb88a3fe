//! The scan as a string of bits, without the zero bytes that T.81 stuffs in after each 0xFF.

use crate::marker::{Cursor, FIRST_FRAME, FIRST_RESTART, LAST_RESTART};

/// Unstuffed bytes held at a time: several pages, so that copying costs little, but small enough for the first-level cache.
const WINDOW_BYTES: usize = 4096;
/// Most bytes that are read for one block: 64 codes of 16 bits with 15 bits after each are 248 bytes, and reading ahead
/// takes 8 more.
const BLOCK_BYTES_MAX: usize = 272;
const MARKER_BYTES: usize = 2;
/// Bytes that are searched for 0xFF at once.
const GROUP: usize = 16;

/// Unstuffed bytes that are still to be read.
pub(crate) type Window = [u8; WINDOW_BYTES + BLOCK_BYTES_MAX];

/// The position in the window: small, so that loops keep their own copy in registers.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// The window's next byte to load.
    at: usize,
    /// The next bits, the first one at the top. Below the top `count` bits they are either right or zero.
    bits: u64,
    count: u32,
}

const START: Head = Head {
    at: 0,
    bits: 0,
    count: 0,
};

impl Head {
    /// Makes at least the next 56 bits available.
    #[inline(always)]
    pub(crate) fn refill(&mut self, window: &Window) {
        const AT_MAX: usize = WINDOW_BYTES + BLOCK_BYTES_MAX - 8;
        assert!(self.at <= AT_MAX, "`prepare_block` comes before each block");
        let mut chunk = [0; 8];
        chunk.copy_from_slice(&window[self.at..self.at + 8]);
        self.bits |= u64::from_be_bytes(chunk) >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// How many bits are available.
    #[inline(always)]
    pub(crate) fn available(&self) -> u32 {
        self.count
    }

    /// The available bits, the first one at the top.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u64 {
        self.bits
    }

    #[inline(always)]
    pub(crate) fn consume(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }

    /// Reads the next bit. It may be called at any time.
    #[inline(always)]
    pub(crate) fn bit(&mut self, window: &Window) -> bool {
        if self.count == 0 {
            self.refill(window);
        }
        let bit = self.bits >> 63 != 0;
        self.consume(1);
        bit
    }
}

/// Reads the bits of a scan. Call [`Self::prepare_block`] before each block; within one, reading is infallible.
///
/// If bits are missing, it does as libjpeg does: it reads zeroes to the end of the unit, and is exhausted from then on,
/// until the next restart marker.
pub(crate) struct Bits<'a> {
    /// Bytes that have not been unstuffed yet.
    source: &'a [u8],
    window: Box<Window>,
    /// Bytes in the window; zeroes follow once `ended`.
    filled: usize,
    head: Head,
    /// Whether all bytes up to the next marker, or the end, are in the window.
    ended: bool,
    /// Whether more bits were read than there were.
    exhausted: bool,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(source: &'a [u8]) -> Self {
        let mut bits = Self {
            source,
            window: Box::new([0; WINDOW_BYTES + BLOCK_BYTES_MAX]),
            filled: 0,
            head: START,
            ended: false,
            exhausted: false,
        };
        bits.fill();
        bits
    }

    /// Makes sure that one more block's bits can be read; bits after the end are zero.
    #[inline(always)]
    pub(crate) fn prepare_block(&mut self) {
        if self.is_near_end() {
            self.prepare_near_end();
        }
    }

    /// Whether bits were already missing. If so, the next unit is all zeroes.
    #[inline(always)]
    pub(crate) fn is_exhausted(&mut self) -> bool {
        if self.is_near_end() {
            self.prepare_near_end();
            return self.exhausted;
        }
        false
    }

    #[inline(always)]
    fn is_near_end(&self) -> bool {
        self.head.at + BLOCK_BYTES_MAX > self.filled
    }

    #[cold]
    #[inline(never)]
    fn prepare_near_end(&mut self) {
        if !self.ended {
            self.fill();
        }
        if self.position() > self.filled * 8 {
            self.exhausted = true;
            self.head = Head {
                at: self.filled,
                ..START
            };
        }
    }

    /// Whether bits are missing because the file ends here, and not because of a marker.
    pub(crate) fn is_cut(&mut self) -> bool {
        self.is_exhausted() && self.source.is_empty()
    }

    /// The bytes after the bits that have been read, perhaps preceded by some of those bits.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.source
    }

    /// Number of bits of the window that have been consumed.
    fn position(&self) -> usize {
        self.head.at * 8 - self.head.count as usize
    }

    /// The window and the position in it. Return the position with [`Self::keep`].
    #[inline(always)]
    pub(crate) fn open(&self) -> (&Window, Head) {
        (&self.window, self.head)
    }

    #[inline(always)]
    pub(crate) fn keep(&mut self, head: Head) {
        self.head = head;
    }

    /// Skips the restart marker with this number, 0 to 7. If another marker comes first, guesses as libjpeg does. One of
    /// the two previous restart markers is left over: it is skipped with what follows it. One of the next two means that
    /// the expected marker is lost: it stays until it is expected itself, and units are zero until then. Other markers stay
    /// in the same way.
    #[inline(never)]
    pub(crate) fn restart(&mut self, expected: u8) {
        _ = self.is_exhausted();
        let mut cursor = Cursor::new(self.source);
        loop {
            let Some(code) = cursor.marker() else {
                return self.wait_at(&[]);
            };
            let marker_at = self.source.len() - cursor.rest().len() - MARKER_BYTES;
            let marker = &self.source[marker_at..];
            match code {
                ..FIRST_FRAME => {}
                FIRST_RESTART..=LAST_RESTART => match code.wrapping_sub(expected) & 7 {
                    1 | 2 => return self.wait_at(marker),
                    6 | 7 => {}
                    _ => return self.go_on_at(cursor.rest()),
                },
                _ => return self.wait_at(marker),
            }
        }
    }

    fn go_on_at(&mut self, source: &'a [u8]) {
        self.source = source;
        (self.filled, self.head) = (0, START);
        (self.ended, self.exhausted) = (false, false);
        self.fill();
    }

    fn wait_at(&mut self, marker: &'a [u8]) {
        self.source = marker;
        (self.filled, self.head, self.ended) = (0, START, true);
        self.window[..BLOCK_BYTES_MAX].fill(0);
    }

    /// Moves the remaining bytes to the window's front and unstuffs more behind them.
    fn fill(&mut self) {
        // The last loaded bytes stay, so that `position` counts back from `at`.
        let kept = self.head.at.min(8);
        self.window.copy_within(self.head.at - kept..self.filled, 0);
        self.filled -= self.head.at - kept;
        self.head.at = kept;
        while self.filled + GROUP <= WINDOW_BYTES {
            match self.source.split_first_chunk::<GROUP>() {
                Some((group, rest)) if !contains_ff(group) => {
                    self.window[self.filled..][..GROUP].copy_from_slice(group);
                    self.filled += GROUP;
                    self.source = rest;
                }
                _ => {
                    if !self.unstuff(GROUP) {
                        self.ended = true;
                        self.source = without_fill_bytes(self.source);
                        self.window[self.filled..].fill(0);
                        return;
                    }
                }
            }
        }
    }

    /// Unstuffs at most `count` bytes one by one. Returns false at a marker or the end.
    fn unstuff(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let (byte, rest) = match *self.source {
                [0xFF, 0, ref rest @ ..] => (0xFF, rest),
                [0xFF, ref filled @ ..] => match after_fill_bytes(filled) {
                    Some(rest) => (0xFF, rest),
                    None => return false,
                },
                [] => return false,
                [byte, ref rest @ ..] => (byte, rest),
            };
            self.window[self.filled] = byte;
            self.filled += 1;
            self.source = rest;
        }
        true
    }
}

/// The marker without surplus 0xFF bytes before it; empty if the file ends before the marker's code.
#[cold]
fn without_fill_bytes(marker: &[u8]) -> &[u8] {
    let code = marker.iter().position(|&byte| byte != 0xFF);
    code.map_or(&[], |code| &marker[code.saturating_sub(1)..])
}

/// The bytes after a stuffed zero that follows several 0xFF; `None` if those lead to a marker.
#[cold]
fn after_fill_bytes(filled: &[u8]) -> Option<&[u8]> {
    let zero = filled.iter().position(|&byte| byte != 0xFF)?;
    (filled[zero] == 0).then(|| &filled[zero + 1..])
}

fn contains_ff(group: &[u8; GROUP]) -> bool {
    group
        .iter()
        .fold(false, |found, &byte| found | (byte == 0xFF))
}
