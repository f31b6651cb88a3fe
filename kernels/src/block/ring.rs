//! The ring that holds expanded rows until the depthwise convolution has read them.

use std::ops::Range;

use crate::shape::Axis;

/// Where the expanded rows of one group of channels lie: `[vectors, rows + 1, padded columns, lanes]`.
///
/// Input row `y` lies in slot `y % rows`. The last row of each vector holds zeros: the rows above and below the map.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingLayout {
    /// Input rows that a band reads.
    pub(super) rows: usize,
    /// Vectors in a group.
    pub(super) vectors: usize,
    pub(super) lanes: usize,
    pub(super) columns: Axis,
}

impl RingLayout {
    /// Elements in a row: one vector for each column, padding included.
    pub(super) fn row_len(&self) -> usize {
        self.columns.padded * self.lanes
    }

    /// Elements in the rows of one vector, the row of zeros included.
    pub(super) fn plane_len(&self) -> usize {
        (self.rows + 1) * self.row_len()
    }

    /// Elements in the ring of one group.
    pub(super) fn len(&self) -> usize {
        self.vectors * self.plane_len()
    }

    /// Zeros what lies around the map in `rings`: the columns left and right of it, and the row of zeros.
    pub(super) fn clear_padding(&self, rings: &mut [f32]) {
        let left = self.columns.before * self.lanes;
        let right = left + self.columns.input * self.lanes;
        for plane in rings.chunks_exact_mut(self.plane_len()) {
            let (rows, zeros) = plane.split_at_mut(self.rows * self.row_len());
            for row in rows.chunks_exact_mut(self.row_len()) {
                row[..left].fill(0.0);
                row[right..].fill(0.0);
            }
            zeros.fill(0.0);
        }
    }

    /// The slots of `rows`, in runs that do not wrap around: some of the rows, and where the first pixel of them lies.
    pub(super) fn slots(&self, rows: Range<usize>) -> impl Iterator<Item = (Range<usize>, usize)> {
        let layout = *self;
        let mut rest = rows;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let slot = rest.start % layout.rows;
            let end = rest.end.min(rest.start + layout.rows - slot);
            let run = rest.start..end;
            rest.start = end;
            let first = slot * layout.row_len() + layout.columns.before * layout.lanes;
            Some((run, first))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RingLayout;
    use crate::shape::Axis;

    #[test]
    fn slots_wrap_around_after_the_last_row() {
        let ring = RingLayout {
            rows: 5,
            vectors: 2,
            lanes: 4,
            columns: Axis::same(10, 3, 1),
        };
        let slots: Vec<_> = ring.slots(3..12).collect();
        // 12 padded columns of 4 lanes a row; one column of padding before the map.
        assert_eq!(slots, [(3..5, 3 * 48 + 4), (5..10, 4), (10..12, 4)]);
        assert_eq!(ring.slots(7..7).count(), 0);
        assert_eq!(ring.len(), 2 * 6 * 48);
    }

    #[test]
    fn clearing_the_padding_keeps_the_map() {
        let ring = RingLayout {
            rows: 2,
            vectors: 1,
            lanes: 2,
            columns: Axis::same(3, 3, 1),
        };
        let mut buffer = vec![1.0; ring.len()];
        ring.clear_padding(&mut buffer);
        let row = [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
        assert_eq!(buffer, [row, row, [0.0; 10]].concat());
    }
}
