//! A matrix product against one panel of packed weights, with bias, residual and ReLU6: every pointwise convolution.

use std::ops::Range;

use fearless_simd::prelude::{SimdBase, SimdFloat};

use super::{Operation, Split, Tiles, load, relu6, store};

/// Numbers in a cache line.
const LINE: usize = 16;

/// Where the numbers of one input row lie: `count` runs of `len` numbers, `stride` apart.
///
/// One run for a row that is contiguous; three for a 3 x 3 window in a picture; one per group of channels for a map
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
    /// Numbers from one row to the next.
    pub(crate) stride: usize,
    /// Rows in a line.
    pub(crate) line: usize,
    /// Numbers from one line to the next.
    pub(crate) line_stride: usize,
    /// Numbers from one vector of a row to the next, where they do not lie side by side.
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

/// `output[row, panel] = act(input[row, :] * weights[:, panel] + bias[panel] (+ residual[row, panel]))`.
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
    pub(crate) rows: usize,
    /// `[rows, vectors * lanes]`.
    pub(crate) output: &'a mut [f32],
    pub(crate) layout: OutputLayout,
    /// Laid out as the output.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) relu6: bool,
}

impl Operation for Gemm<'_> {
    #[inline(always)]
    fn run<S: Tiles>(self, simd: S) {
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
            relu6: self.relu6,
        };
        // SAFETY: the assertions above cover all rows, the whole depth and the panel's width.
        unsafe {
            match self.vectors {
                1 => panel::<S, 1>(simd, &task, self.rows),
                2 => panel::<S, 2>(simd, &task, self.rows),
                3 if S::VECTORS == 3 => panel::<S, 3>(simd, &task, self.rows),
                _ => unreachable!("panels are 1 to {} vectors wide", S::VECTORS),
            }
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
    relu6: bool,
}

/// All rows of a panel that is `V` vectors wide, a few segments at a time so that their weights stay in the first cache.
///
/// # Safety
/// All pointers of `task` must be valid for `rows` rows of `V` vectors.
#[inline(always)]
unsafe fn panel<S: Tiles, const V: usize>(simd: S, task: &Task, rows: usize) {
    let split = Split::new(rows, S::ROWS[V - 1]);
    let count = task.segments.count;
    // A single tile reads each weight once: nothing to keep.
    let passes = if split.tiles == 1 {
        1
    } else {
        count.div_ceil((S::DEPTH / task.segments.len).max(1))
    };
    for pass in 0..passes {
        let segments = count * pass / passes..count * (pass + 1) / passes;
        // The next pass reads on where this one ends, in this panel or the next: ask for it line by line, in as many
        // tiles as there are lines in a step of the depth.
        let lines = V * S::LANES / LINE;
        let depth = segments.len() * task.segments.len;
        let next = task
            .weights
            .wrapping_add(segments.end * task.segments.len * V * S::LANES);
        for (i, (row, tile_rows)) in (0..split.tiles).map(|i| (i, split.tile(i))) {
            let ahead = if i < lines {
                (next.wrapping_add(i * depth * LINE), LINE)
            } else {
                (next, 0)
            };
            // SAFETY: `row + tile_rows <= rows`, so the tile lies inside what the caller vouched for.
            unsafe {
                tile_of::<S, V>(simd, task, row, tile_rows, segments.clone(), ahead);
            }
        }
    }
}

/// Calls the tile compiled for `rows`. Heights that [`Split`] never makes for this instruction set compile to
/// nothing, because `S::ROWS` is a constant.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn tile_of<S: Tiles, const V: usize>(
    simd: S,
    task: &Task,
    row: usize,
    rows: usize,
    segments: Range<usize>,
    ahead: (*const f32, usize),
) {
    macro_rules! by_height {
        ($($height:literal)*) => {
            match rows {
                $($height if $height == 1 || (S::ROWS[V - 1].div_ceil(2)..=S::ROWS[V - 1]).contains(&$height) => {
                    // SAFETY: the caller's promise.
                    unsafe { tile::<S, $height, V>(simd, task, row, segments, ahead) }
                })*
                _ => unreachable!("no tile has {rows} rows"),
            }
        };
    }
    by_height!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

/// `R` rows from `row` on, of `V` vectors, over some of the segments: the sums stay in registers from the first to the last.
///
/// # Safety
/// The pointers of `task` must be valid for those rows, and for the whole depth.
#[inline(always)]
unsafe fn tile<S: Tiles, const R: usize, const V: usize>(
    simd: S,
    task: &Task,
    row: usize,
    segments: Range<usize>,
    ahead: (*const f32, usize),
) {
    let (mut ahead, step) = ahead;
    let (first, last) = (segments.start == 0, segments.end == task.segments.count);
    let mut sums = [[S::f32s::splat(simd, 0.0); V]; R];
    let mut starts = [0; R];
    let (mut x, mut line) = (
        row % task.layout.line,
        row / task.layout.line * task.layout.line_stride,
    );
    for start in &mut starts {
        *start = line + x * task.layout.stride;
        x += 1;
        if x == task.layout.line {
            (x, line) = (0, line + task.layout.line_stride);
        }
    }
    // SAFETY (all blocks): the caller vouches for R rows, V vectors, and every segment.
    if first {
        unroll!(v in 0..V => {
            let bias = unsafe { load(simd, task.bias.add(v * S::LANES)) };
            unroll!(r in 0..R => { sums[r][v] = bias; });
        });
    } else {
        unroll!(r in 0..R => {
            let output = unsafe { task.output.add(starts[r]) };
            unroll!(v in 0..V => { sums[r][v] = unsafe { load(simd, output.add(v * task.vector_stride)) }; });
        });
    }
    let width = V * S::LANES;
    let mut weights = unsafe { task.weights.add(segments.start * task.segments.len * width) };
    for segment in segments {
        let input = unsafe {
            task.input
                .add(row * task.input_stride + segment * task.segments.stride)
        };
        for k in 0..task.segments.len {
            let mut w = [S::f32s::splat(simd, 0.0); V];
            unroll!(v in 0..V => { w[v] = unsafe { load(simd, weights.add(v * S::LANES)) }; });
            unroll!(r in 0..R => {
                let x = S::f32s::splat(simd, unsafe { *input.add(r * task.input_stride + k) });
                unroll!(v in 0..V => { sums[r][v] = x.mul_add(w[v], sums[r][v]); });
            });
            weights = unsafe { weights.add(width) };
            super::prefetch(ahead);
            ahead = ahead.wrapping_add(step);
        }
    }
    if last && let Some(residual) = task.residual {
        unroll!(r in 0..R => {
            let residual = unsafe { residual.add(starts[r]) };
            unroll!(v in 0..V => { sums[r][v] += unsafe { load(simd, residual.add(v * task.vector_stride)) }; });
        });
    }
    if last && task.relu6 {
        unroll!(r in 0..R => {
            unroll!(v in 0..V => { sums[r][v] = relu6(simd, sums[r][v]); });
        });
    }
    unroll!(r in 0..R => {
        let output = unsafe { task.output.add(starts[r]) };
        unroll!(v in 0..V => { unsafe { store::<S>(output.add(v * task.vector_stride), sums[r][v]) }; });
    });
}
