//! How a block is cut into pieces that fit the caches.

use super::BlockConfig;
use crate::kernel::Token;
use crate::shape::SameAxis;

/// A block whose whole depthwise result fits into this many numbers runs group by group over the whole map; larger
/// ones run band by band. Sized for a second-level cache of 1 MiB, with room for the weights that stream past.
const WHOLE_MAP_MAX: usize = 768 * 1024 / size_of::<f32>();
/// What a band may occupy: its ring of expanded rows and its depthwise result.
const BAND_MAX: usize = 320 * 1024 / size_of::<f32>();

/// How many rows are worked on at a time, and the rings that needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Output rows in a band; all of them for a small map.
    pub(super) band_rows: usize,
    /// Input rows that a band touches.
    pub(super) ring_rows: usize,
    /// Numbers in a ring row: one vector for each column.
    pub(super) row_len: usize,
    /// Vectors in a group.
    pub(super) vectors: usize,
    /// Groups whose rows have to survive until the next band: all, or one when there is a single band.
    pub(super) ring_groups: usize,
    pub(super) depthwise_len: usize,
    /// Words of the rows that enter with a band, where they have to be converted.
    pub(super) converted_len: usize,
}

impl Plan {
    pub(super) fn new(
        config: &BlockConfig,
        rows: SameAxis,
        columns: SameAxis,
        groups: usize,
        group: usize,
        token: Token,
    ) -> Self {
        let lanes = token.lanes();
        let line = columns.input * config.input.channel_stride();
        let with_bands_of = |band_rows: usize| {
            let ring_rows = ((band_rows - 1) * config.stride + config.kernel_size).min(rows.input);
            let depthwise = band_rows * columns.output * groups * group;
            Self {
                band_rows,
                ring_rows,
                row_len: columns.padded * lanes,
                vectors: group / lanes,
                ring_groups: if band_rows == rows.output { 1 } else { groups },
                depthwise_len: depthwise / token.numbers_in_word(),
                converted_len: token.converted_len(ring_rows * line),
            }
        };
        let whole = with_bands_of(rows.output);
        if whole.len() <= WHOLE_MAP_MAX {
            return whole;
        }
        (1..rows.output)
            .rev()
            .map(with_bands_of)
            .find(|plan| plan.len() <= BAND_MAX)
            .unwrap_or_else(|| with_bands_of(1))
    }

    fn len(&self) -> usize {
        self.ring_groups * self.ring_len() + self.depthwise_len
    }

    pub(super) fn ring_len(&self) -> usize {
        self.vectors * self.plane_len()
    }

    /// Numbers in one vector's share of a ring: its rows, and one of zeros.
    pub(super) fn plane_len(&self) -> usize {
        (self.ring_rows + 1) * self.row_len
    }
}
