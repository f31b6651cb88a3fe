//! The coefficients of one component, kept until the last scan: all that the region needs, and of the other blocks only
//! what later scans need in order to be read.

use std::ops::Range;

use crate::block::Coefficients as Block;
use crate::plane::Plane;
use crate::progressive;

const BLOCK: usize = 64;

/// Coefficients, which are zero until a scan sets them. They are not dequantised.
pub(crate) struct Store {
    /// Columns of blocks that are kept.
    columns: Range<usize>,
    rows: Range<usize>,
    /// Blocks in a row of the component.
    blocks_across: usize,
    /// 64, or 1 if each block becomes one sample.
    per_block: usize,
    values: Vec<i16>,
    /// For each block down to the last row that is kept, a bit for each non-zero coefficient, in zigzag order. Empty if
    /// there is one coefficient per block.
    nonzero: Vec<u64>,
    /// Shared by all blocks that are not kept.
    scrap: Block,
}

impl Store {
    /// For a component of `blocks_across` x `blocks_down` blocks; an interleaved unit is `unit_blocks` of them high.
    pub(crate) fn new(
        plane: &Plane,
        (blocks_across, blocks_down): (usize, usize),
        unit_blocks: usize,
    ) -> Self {
        let row = |unit: usize| (unit * unit_blocks).min(blocks_down);
        let rows = row(plane.unit_rows.start)..row(plane.unit_rows.end);
        let columns = plane.columns.start.min(blocks_across)..plane.columns.end.min(blocks_across);
        let per_block = if plane.side == 1 { 1 } else { BLOCK };
        let seen = if plane.side == 1 { 0 } else { rows.end };
        Self {
            values: vec![0; rows.len() * columns.len() * per_block],
            nonzero: vec![0; seen * blocks_across],
            columns,
            rows,
            blocks_across,
            per_block,
            scrap: [0; BLOCK],
        }
    }

    /// The row of blocks from which on nothing is needed.
    pub(crate) fn rows_end(&self) -> usize {
        self.rows.end
    }

    /// Whether the region needs only the first coefficients.
    pub(crate) fn holds_only_first(&self) -> bool {
        self.per_block == 1
    }

    pub(crate) fn is_kept(&self, column: usize, row: usize) -> bool {
        self.columns.contains(&column) && self.rows.contains(&row)
    }

    /// The first coefficient of a block; a scrap value if the block is not kept.
    #[inline(always)]
    pub(crate) fn first(&mut self, column: usize, row: usize) -> &mut i16 {
        match self.place(column, row) {
            Some(place) => &mut self.values[place * self.per_block],
            None => &mut self.scrap[0],
        }
    }

    /// All coefficients of a block. Call it only if 64 are held per block, and for rows before [`Self::rows_end`].
    #[inline(always)]
    pub(crate) fn block(&mut self, column: usize, row: usize) -> progressive::Block<'_> {
        let place = self.place(column, row);
        let (blocks, _) = self.values.as_chunks_mut::<BLOCK>();
        progressive::Block {
            coefficients: match place {
                Some(place) => &mut blocks[place],
                None => &mut self.scrap,
            },
            nonzero: &mut self.nonzero[row * self.blocks_across + column],
        }
    }

    /// The first coefficient of a block that is kept, and all of them if any other is not zero. A block beyond the
    /// component's edge, which is never visible, is zero.
    #[inline(always)]
    pub(crate) fn get(&self, column: usize, row: usize) -> (i16, Option<&Block>) {
        let Some(place) = self.place(column, row) else {
            return (0, None);
        };
        if self.per_block == 1 {
            return (self.values[place], None);
        }
        let block = &self.values.as_chunks::<BLOCK>().0[place];
        let has_others = self.nonzero[row * self.blocks_across + column] != 0;
        (block[0], has_others.then_some(block))
    }

    #[inline(always)]
    fn place(&self, column: usize, row: usize) -> Option<usize> {
        self.is_kept(column, row)
            .then(|| (row - self.rows.start) * self.columns.len() + column - self.columns.start)
    }
}
