//! A depthwise convolution on one group of channels, with limits such as ReLU6's.

use std::ops::Range;

use fearless_simd::prelude::{SimdBase, SimdFloat};

use super::{Operand, Operation, Split, Tiles, load};

/// Some output rows of a depthwise convolution, read from a ring of input rows.
pub(crate) struct Depthwise<'a> {
    /// `[vectors, ring_rows + 1, columns, lanes]`: input row `y` lies in slot `y % ring_rows`, its columns already padded;
    /// the last slot holds zeros, the rows above and below the input. With a vector's pixels side by side, every address
    /// inside a tile is a constant away from the first.
    pub(crate) ring: &'a [f32],
    pub(crate) ring_rows: usize,
    /// Columns of a ring row, padding included.
    pub(crate) ring_columns: usize,
    /// Rows of the input.
    pub(crate) height: usize,
    /// Rows of zeros above the input.
    pub(crate) pad_top: usize,
    /// `[vectors, kernel_size * kernel_size, lanes]`.
    pub(crate) weights: &'a [f32],
    /// `[vectors, lanes]`.
    pub(crate) bias: &'a [f32],
    /// 3 or 5.
    pub(crate) kernel_size: usize,
    /// 1 or 2.
    pub(crate) stride: usize,
    /// Rows of the output to compute.
    pub(crate) rows: Range<usize>,
    /// Columns of the output.
    pub(crate) columns: usize,
    /// `[rows, columns, vectors * lanes]`, in [`Operand`]s, as the product that follows reads them.
    pub(crate) output: &'a mut [f32],
    /// Limits of the output.
    pub(crate) clamp: [f32; 2],
}

impl Operation for Depthwise<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        if self.rows.is_empty() || self.columns == 0 {
            return;
        }
        let channels = self.bias.len();
        assert!(channels.is_multiple_of(S::LANES));
        assert!(channels * (self.ring_rows + 1) * self.ring_columns <= self.ring.len());
        assert!((self.columns - 1) * self.stride + self.kernel_size <= self.ring_columns);
        assert!(self.kernel_size * self.kernel_size * channels <= self.weights.len());
        let packed = channels / S::LANES * O::VECTOR;
        assert!(self.rows.len() * self.columns * packed <= self.output.len());
        // The ring holds all rows that an output row reads, and is not overtaken from one row to the next.
        assert!(self.ring_rows >= self.height.min(self.kernel_size));
        assert!(self.ring_rows >= self.stride.min(self.height));
        assert!(self.pad_top < self.kernel_size);
        assert!((self.rows.end - 1) * self.stride < self.height + self.pad_top);
        // SAFETY: the assertions above cover every row, column, tap and channel.
        unsafe {
            match (self.kernel_size, self.stride) {
                (3, 1) => rows::<S, O, 3, 1>(simd, self),
                (3, 2) => rows::<S, O, 3, 2>(simd, self),
                (5, 1) => rows::<S, O, 5, 1>(simd, self),
                (5, 2) => rows::<S, O, 5, 2>(simd, self),
                _ => unreachable!("depthwise kernels are 3 or 5 wide with stride 1 or 2"),
            }
        }
    }
}

/// # Safety
/// The bounds asserted in [`Depthwise::run`] must hold.
#[inline(always)]
unsafe fn rows<S: Tiles, O: Operand<S>, const K: usize, const STRIDE: usize>(
    simd: S,
    it: Depthwise<'_>,
) {
    let split = Split::new(it.columns, S::PIXELS);
    let row_len = it.ring_columns * S::LANES;
    let plane_len = (it.ring_rows + 1) * row_len;
    let vectors = it.bias.len() / S::LANES;
    let first = (it.rows.start * STRIDE).saturating_sub(it.pad_top);
    // One vector of channels at a time, all rows of it: what it touches fits L1, whatever the width.
    for vector in 0..vectors {
        // The input row in slot 0, for the rows from the first on that is not above the map.
        let mut turn = first / it.ring_rows * it.ring_rows;
        for (i, row) in it.rows.clone().enumerate() {
            let top = row * STRIDE;
            if top.saturating_sub(it.pad_top) - turn >= it.ring_rows {
                turn += it.ring_rows;
            }
            // SAFETY: `vector` and the slots lie in the ring, `row` and the tiles in the output.
            unsafe {
                let ring = it.ring.as_ptr().add(vector * plane_len);
                let mut inputs = [ring.add(it.ring_rows * row_len); K];
                unroll!(tap in 0..K, max 5 => {
                    let y = (top + tap).wrapping_sub(it.pad_top);
                    if y < it.height {
                        let slot = y - turn;
                        let slot = if slot < it.ring_rows { slot } else { slot - it.ring_rows };
                        inputs[tap] = ring.add(slot * row_len);
                    }
                });
                let line = Line {
                    inputs,
                    weights: it.weights.as_ptr().add(vector * K * K * S::LANES),
                    bias: it.bias.as_ptr().add(vector * S::LANES),
                    output: it
                        .output
                        .as_mut_ptr()
                        .add((i * it.columns * vectors + vector) * O::VECTOR),
                    output_stride: vectors * O::VECTOR,
                    clamp: it.clamp,
                };
                for (x, pixels) in (0..split.tiles).map(|i| split.tile(i)) {
                    tile_of::<S, O, K, STRIDE>(simd, &line, x, pixels);
                }
            }
        }
    }
}

/// One row of the output, one vector of channels.
struct Line<const K: usize> {
    /// First pixel of each input row.
    inputs: [*const f32; K],
    weights: *const f32,
    bias: *const f32,
    output: *mut f32,
    output_stride: usize,
    clamp: [f32; 2],
}

/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn tile_of<S: Tiles, O: Operand<S>, const K: usize, const STRIDE: usize>(
    simd: S,
    line: &Line<K>,
    x: usize,
    pixels: usize,
) {
    macro_rules! by_width {
        ($($width:literal)*) => {
            $(
                if const { Split::makes($width, S::PIXELS) } && pixels == $width {
                    // SAFETY: the caller's promise.
                    return unsafe { tile::<S, O, K, STRIDE, $width>(simd, line, x) };
                }
            )*
        };
    }
    by_width!(1 2 3 4 5 6 7 8);
    unreachable!("no tile has {pixels} pixels");
}

/// `P` pixels from column `x` on: the weights of a tap row stay in registers, and each input is loaded once and used by
/// every sum it belongs to.
///
/// # Safety
/// The pointers of `line` must be valid for those pixels and all taps of one vector of channels.
#[inline(always)]
unsafe fn tile<S: Tiles, O: Operand<S>, const K: usize, const STRIDE: usize, const P: usize>(
    simd: S,
    line: &Line<K>,
    x: usize,
) {
    // SAFETY (all blocks): the caller's promise.
    let mut sums = [unsafe { load(simd, line.bias) }; P];
    for tap in 0..K {
        let input = unsafe { line.inputs[tap].add(x * STRIDE * S::LANES) };
        let from = unsafe { line.weights.add(tap * K * S::LANES) };
        let mut weights = [S::f32s::splat(simd, 0.0); K];
        unroll!(i in 0..K, max 5 => {
            weights[i] = unsafe { load(simd, from.add(i * S::LANES)) };
        });
        unroll!(column in 0..(P - 1) * STRIDE + K, max 19 => {
            let x = unsafe { load(simd, input.add(column * S::LANES)) };
            unroll!(i in 0..K, max 5 => {
                if const { is_read(column, i, STRIDE, P) } {
                    let p = column.wrapping_sub(i) / STRIDE;
                    sums[p] = x.mul_add(weights[i], sums[p]);
                }
            });
        });
    }
    let output = unsafe { line.output.add(x * line.output_stride) };
    let [low, high] = line.clamp.map(|limit| S::f32s::splat(simd, limit));
    unroll!(p in 0..P, max 8 => {
        unsafe { O::store(output.add(p * line.output_stride), sums[p].max(low).min(high)) };
    });
}

/// Whether a pixel of a tile reads `column` as its tap `i`.
const fn is_read(column: usize, i: usize, stride: usize, pixels: usize) -> bool {
    column >= i && (column - i).is_multiple_of(stride) && (column - i) / stride < pixels
}
