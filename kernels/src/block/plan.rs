//! How a block is cut into pieces that fit the caches.

use super::config::BlockConfig;
use super::ring::RingLayout;
use crate::isa::Token;
use crate::scratch::ScratchLen;

/// A block whose whole depthwise result fits into this many elements runs group by group over the whole map; larger
/// ones run band by band. Sized for an L2 of 1 MiB, with room for the weights that stream past.
const WHOLE_MAP_MAX: usize = 768 * 1024 / size_of::<f32>();
/// What a band may occupy: its ring of expanded rows and its depthwise result.
const BAND_MAX: usize = 320 * 1024 / size_of::<f32>();

/// How many rows are worked on at a time, and the buffers that takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Output rows in a band.
    pub(super) band_rows: usize,
    /// Whether there is a single band, which is run group by group.
    pub(super) is_whole_map: bool,
    pub(super) ring: RingLayout,
    /// Groups whose rows have to survive until the next band: all, or one where there is a single band.
    ring_groups: usize,
    /// Elements of the depthwise result of a band.
    band_len: usize,
    /// Elements of that of the map, where it is kept until the last band has been computed.
    kept_len: Option<usize>,
    /// Elements of the means that are taken on the way: of the map's channels, or of each row's.
    pub(super) means_len: usize,
    packed_len: usize,
}

impl Plan {
    pub(super) fn new(
        config: &BlockConfig,
        groups: usize,
        group: usize,
        squeezes: bool,
        token: Token,
    ) -> Self {
        let lanes = token.lanes();
        let (rows, columns) = (config.rows(), config.columns());
        let line = columns.input * config.input().channel_stride();
        let with_bands_of = |band_rows: usize| {
            let ring_rows =
                ((band_rows - 1) * config.stride() + config.kernel_size()).min(rows.input);
            let depthwise_row = columns.output * groups * group;
            let is_whole_map = band_rows == rows.output;
            let parts = if is_whole_map { 1 } else { rows.output };
            Self {
                band_rows,
                is_whole_map,
                ring: RingLayout {
                    rows: ring_rows,
                    vectors: group / lanes,
                    lanes,
                    columns,
                },
                ring_groups: if is_whole_map { 1 } else { groups },
                band_len: band_rows * depthwise_row / token.pack_factor(),
                kept_len: squeezes.then_some(rows.output * depthwise_row),
                means_len: parts * groups * group,
                packed_len: token.packed_len(ring_rows * line),
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
        self.rings_len() + self.band_len
    }

    /// Elements in the rings of all groups that are kept.
    pub(super) fn rings_len(&self) -> usize {
        self.ring_groups * self.ring.len()
    }

    /// What the calling thread needs to run the block.
    pub(super) fn scratch_len(&self) -> ScratchLen {
        ScratchLen {
            operands: self.packed_len,
            products: self.rings_len(),
            depthwise: self.kept_len.unwrap_or(self.band_len),
            factors: 0,
        }
    }

    /// What each helper needs: where the depthwise result of the whole map is kept, all threads write into that of the
    /// calling one.
    pub(super) fn helper_scratch_len(&self) -> ScratchLen {
        ScratchLen {
            depthwise: if self.is_whole_map || self.kept_len.is_some() {
                0
            } else {
                self.band_len
            },
            ..self.scratch_len()
        }
    }
}
