//! The scan as a string of bits, without the bytes that T.81 stuffs in after each 0xFF.

use crate::Error;

/// Unstuffed bytes held at a time: several pages, so that copying costs little, and still in the first cache.
const WINDOW_BYTES: usize = 4096;
/// A block takes at most 64 codes of 16 bits with 15 bits after each, 248 bytes; reading ahead takes 8 more.
const BLOCK_BYTES_MAX: usize = 272;
/// Bytes that are searched for 0xFF at once.
const GROUP: usize = 16;

/// The unstuffed bytes to come, from some byte on.
pub(crate) type Window = [u8; WINDOW_BYTES + BLOCK_BYTES_MAX];

/// The place in the window: small, so that loops keep their own copy in registers.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// The window's next byte to load.
    at: usize,
    /// The next bits, first one on top. Below the `count`th they are either right or zero.
    bits: u64,
    count: u32,
}

const START: Head = Head {
    at: 0,
    bits: 0,
    count: 0,
};

impl Head {
    /// Makes the next 56 bits or more available.
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

    /// The available bits, first one on top.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u64 {
        self.bits
    }

    #[inline(always)]
    pub(crate) fn consume(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }
}

/// Reads the bits of a scan. Call [`Self::prepare_block`] before each block; within one, reading is infallible.
pub(crate) struct Bits<'a> {
    /// What has not been unstuffed yet.
    source: &'a [u8],
    window: Box<Window>,
    /// Bytes in the window; zeroes follow once `ended`.
    filled: usize,
    head: Head,
    /// Whether all bytes up to the next marker, or the end, are in the window.
    ended: bool,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(source: &'a [u8]) -> Self {
        let mut bits = Self {
            source,
            window: Box::new([0; WINDOW_BYTES + BLOCK_BYTES_MAX]),
            filled: 0,
            head: START,
            ended: false,
        };
        bits.fill();
        bits
    }

    /// Makes sure that one more block's bits can be read; those after the end are zero.
    #[inline(always)]
    pub(crate) fn prepare_block(&mut self) -> Result<(), Error> {
        if self.head.at + BLOCK_BYTES_MAX > self.filled {
            return self.prepare_near_end();
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn prepare_near_end(&mut self) -> Result<(), Error> {
        if !self.ended {
            self.fill();
        }
        self.check_end()
    }

    /// Tells whether more bits were read than there are.
    pub(crate) fn check_end(&self) -> Result<(), Error> {
        if self.position() > self.filled * 8 {
            return Err(Error::Damaged("its pixels end too early"));
        }
        Ok(())
    }

    /// Bits of the window that have been consumed.
    fn position(&self) -> usize {
        self.head.at * 8 - self.head.count as usize
    }

    /// The window, and the place in it; hand it back with [`Self::keep`].
    #[inline(always)]
    pub(crate) fn open(&self) -> (&Window, Head) {
        (&self.window, self.head)
    }

    #[inline(always)]
    pub(crate) fn keep(&mut self, head: Head) {
        self.head = head;
    }

    /// Goes past the restart marker with this number, 0 to 7, which must be the next thing in the scan.
    pub(crate) fn restart(&mut self, number: u8) -> Result<(), Error> {
        const MISPLACED: Error = Error::Damaged("a restart marker is missing or misplaced");
        self.check_end()?;
        if !self.ended {
            self.fill();
        }
        if !self.ended || self.position() + 7 < self.filled * 8 {
            return Err(MISPLACED);
        }
        let marker = self
            .source
            .iter()
            .position(|&byte| byte != 0xFF)
            .unwrap_or(0);
        if marker == 0 || self.source[marker] != 0xD0 | number {
            return Err(MISPLACED);
        }
        self.source = &self.source[marker + 1..];
        (self.filled, self.head, self.ended) = (0, START, false);
        self.fill();
        Ok(())
    }

    /// Moves what is left to the window's front and unstuffs more behind it.
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
                        self.window[self.filled..].fill(0);
                        return;
                    }
                }
            }
        }
    }

    /// Unstuffs at most `count` bytes one by one; false at a marker or the end.
    fn unstuff(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let (byte, rest) = match *self.source {
                [0xFF, 0, ref rest @ ..] => (0xFF, rest),
                [0xFF, ..] | [] => return false,
                [byte, ref rest @ ..] => (byte, rest),
            };
            self.window[self.filled] = byte;
            self.filled += 1;
            self.source = rest;
        }
        true
    }
}

fn contains_ff(group: &[u8; GROUP]) -> bool {
    group
        .iter()
        .fold(false, |found, &byte| found | (byte == 0xFF))
}
