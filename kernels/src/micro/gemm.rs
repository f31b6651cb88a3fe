//! A matrix product against one panel of packed weights, with bias, residual and limits such as ReLU6's: every pointwise convolution.
//!
//! Input and weights are [`Operand`]s; depths, runs and distances count those. Bias, residual and output are f32.

mod tile;

use super::{Operand, Operation, Split, Tiles};
use tile::tile_of;

/// Elements in a cache line.
const CACHE_LINE: usize = 16;

/// Where the operands of one input row lie: `count` runs of `len` operands, `stride` apart.
///
/// One run for a row that is contiguous; three for a 3 x 3 window in an image; one per group of channels for a map
/// that is stored group by group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segments {
    pub(crate) count: usize,
    pub(crate) len: usize,
    pub(crate) stride: usize,
}

impl Segments {
    /// A contiguous row, in runs short enough that the product can pause between them.
    pub(crate) fn contiguous(depth: usize) -> Self {
        const RUN: usize = 64;
        let count = (1..=depth.div_ceil(RUN))
            .rev()
            .find(|count| depth.is_multiple_of(*count))
            .unwrap_or(1);
        Self {
            count,
            len: depth / count,
            stride: depth / count,
        }
    }

    fn depth(&self) -> usize {
        self.count * self.len
    }

    fn span(&self) -> usize {
        (self.count - 1) * self.stride + self.len
    }
}

/// Where the rows of a product go: in lines of `line` rows, as the pixels of a map whose lines have padding between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputLayout {
    /// Elements from one row to the next.
    pub(crate) stride: usize,
    /// Rows in a line.
    pub(crate) line: usize,
    /// Elements from one line to the next.
    pub(crate) line_stride: usize,
    /// Elements from one vector of a row to the next, where they do not lie side by side.
    pub(crate) vector_stride: Option<usize>,
}

impl OutputLayout {
    /// Rows at equal distances.
    pub(crate) fn dense(stride: usize) -> Self {
        Self {
            stride,
            line: usize::MAX,
            line_stride: 0,
            vector_stride: None,
        }
    }

    /// From the first row to the beginning of the furthest of `rows` rows.
    fn span(&self, rows: usize) -> usize {
        let line = self.line.min(rows);
        assert!(
            rows <= line || self.line_stride >= (line - 1) * self.stride,
            "lines overlap"
        );
        self.start(rows - 1).max((line - 1) * self.stride)
    }

    /// Where row `row` begins.
    #[inline(always)]
    fn start(&self, row: usize) -> usize {
        row / self.line * self.line_stride + row % self.line * self.stride
    }
}

/// `output[row, panel] = clamp(input[row, :] * weights[:, panel] + bias[panel] (+ residual[row, panel]))`.
pub(crate) struct Gemm<'a> {
    /// `[rows, depth]`: row `r` begins at `r * input_stride`.
    pub(crate) input: &'a [f32],
    pub(crate) input_stride: usize,
    pub(crate) segments: Segments,
    /// `[depth, vectors * lanes]`.
    pub(crate) weights: &'a [f32],
    /// `[vectors * lanes]`.
    pub(crate) bias: &'a [f32],
    /// Width of the panel: 1, 2 or 3.
    pub(crate) vectors: usize,
    /// Whether only the lower half of the last vector is wanted; its weights and bias then lie in both halves.
    pub(crate) half: bool,
    pub(crate) rows: usize,
    /// `[rows, vectors * lanes]`.
    pub(crate) output: &'a mut [f32],
    pub(crate) layout: OutputLayout,
    /// Laid out as the output.
    pub(crate) residual: Option<&'a [f32]>,
    /// Limits of the output, applied last.
    pub(crate) clamp: Option<[f32; 2]>,
}

impl Operation for Gemm<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        if self.rows == 0 {
            return;
        }
        let width = self.vectors * S::LANES;
        let vector_stride = self.layout.vector_stride.unwrap_or(S::LANES);
        let output_span =
            self.layout.span(self.rows) + (self.vectors - 1) * vector_stride + S::LANES;
        assert!((self.rows - 1) * self.input_stride + self.segments.span() <= self.input.len());
        assert!(self.segments.depth() * width <= self.weights.len() && width <= self.bias.len());
        assert!(output_span <= self.output.len());
        assert!(
            self.residual
                .is_none_or(|residual| output_span <= residual.len())
        );
        assert!(!self.half || (self.vectors > 1 && vector_stride == S::LANES));
        let task = Task {
            input: self.input.as_ptr(),
            input_stride: self.input_stride,
            segments: self.segments,
            weights: self.weights.as_ptr(),
            bias: self.bias.as_ptr(),
            output: self.output.as_mut_ptr(),
            layout: self.layout,
            vector_stride,
            residual: self.residual.map(<[f32]>::as_ptr),
            clamp: self.clamp,
        };
        // SAFETY: the assertions above cover all rows, the whole depth and the panel's width.
        unsafe {
            let (vectors, half) = (self.vectors, self.half);
            if vectors == 1 {
                return panel::<S, O, 1, false>(simd, &task, self.rows);
            }
            if vectors == 2 && !half {
                return panel::<S, O, 2, false>(simd, &task, self.rows);
            }
            // `if const` keeps panels that this instruction set does not have from being compiled.
            if const { S::NR == 3 } && vectors == 3 && !half {
                return panel::<S, O, 3, false>(simd, &task, self.rows);
            }
            if const { S::MR_HALVES.is_some() } && vectors == 2 && half {
                return panel::<S, O, 2, true>(simd, &task, self.rows);
            }
            if const { S::MR_HALVES.is_some() } && vectors == 3 && half {
                return panel::<S, O, 3, true>(simd, &task, self.rows);
            }
            unreachable!("panels are 1 to {} vectors wide", S::NR);
        }
    }
}

/// [`Gemm`] after its checks.
#[derive(Clone, Copy)]
struct Task {
    input: *const f32,
    input_stride: usize,
    segments: Segments,
    weights: *const f32,
    bias: *const f32,
    output: *mut f32,
    layout: OutputLayout,
    vector_stride: usize,
    residual: Option<*const f32>,
    clamp: Option<[f32; 2]>,
}

/// All rows of a panel that is `V` vectors wide, a few segments at a time so that their weights stay in L1.
///
/// # Safety
/// All pointers of `task` must be valid for `rows` rows of `V` vectors.
#[inline(always)]
unsafe fn panel<S: Tiles, O: Operand<S>, const V: usize, const HALF: bool>(
    simd: S,
    task: &Task,
    rows: usize,
) {
    let split = Split::new(rows, const { mr::<S>(V, HALF) });
    let count = task.segments.count;
    // A single tile reads each weight once: nothing to keep.
    let passes = if split.tiles == 1 {
        1
    } else {
        count.div_ceil((S::KC / task.segments.len).max(1))
    };
    for pass in 0..passes {
        let segments = count * pass / passes..count * (pass + 1) / passes;
        // The next pass reads on where this one ends, in this panel or the next: prefetch it line by line, in as many
        // tiles as there are lines in a step of the depth.
        let lines = V * S::LANES / CACHE_LINE;
        let depth = segments.len() * task.segments.len;
        let next = task
            .weights
            .wrapping_add(segments.end * task.segments.len * V * S::LANES);
        for (i, (row, tile_rows)) in (0..split.tiles).map(|i| (i, split.tile(i))) {
            let prefetched = if i < lines {
                (next.wrapping_add(i * depth * CACHE_LINE), CACHE_LINE)
            } else {
                (next, 0)
            };
            // SAFETY: `row + tile_rows <= rows`, so the tile lies inside what the caller vouched for.
            unsafe {
                tile_of::<S, O, V, HALF>(simd, task, row, tile_rows, segments.clone(), prefetched);
            }
        }
    }
}

/// Rows of the tiles of a panel, at most.
const fn mr<S: Tiles>(vectors: usize, half: bool) -> usize {
    match S::MR_HALVES {
        Some(rows) if half => rows[vectors - 2],
        _ => S::MR[vectors - 1],
    }
}
