//! Restart markers: a scan starts afresh at one after a fixed number of units.

use crate::bits::Bits;

/// Counts units to the next restart marker.
pub(crate) struct Restarts {
    /// Units between two markers; 0 means there are none.
    interval: u32,
    until_next: u32,
    /// The next marker's number, 0 to 7.
    number: u8,
}

impl Restarts {
    pub(crate) fn new(interval: u32) -> Self {
        Self {
            interval,
            until_next: interval,
            number: 0,
        }
    }

    /// Call before each unit. Skips a marker if one is due, and returns whether it did: then predictions start afresh.
    #[inline(always)]
    pub(crate) fn pass(&mut self, bits: &mut Bits<'_>) -> bool {
        if self.interval == 0 {
            return false;
        }
        let is_due = self.until_next == 0;
        if is_due {
            bits.restart(self.number);
            self.number = (self.number + 1) % 8;
            self.until_next = self.interval;
        }
        self.until_next -= 1;
        is_due
    }
}
