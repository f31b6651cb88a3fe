//! The transforms around the products of a 3 x 3 convolution by Winograd's minimal filtering: F(2 x 2, 3 x 3) and
//! F(4 x 4, 3 x 3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), sections 4.1 and 4.2.
//!
//! A tile of `SIDE` x `SIDE` input pixels gives `SIDE - 2` squared output pixels. Both transforms are applied to the columns
//! of a tile, then to its rows, for a vector of channels at a time.

use std::array::from_fn;
use std::ops::Range;

use fearless_simd::prelude::{SimdBase, SimdFloat};

use super::{Operand, Operation, Tiles, load, store};
use crate::padding::unpadded;

/// Rows and columns by which neighbouring tiles overlap in the input.
const OVERLAP: usize = 2;

/// Where the tiles of a map lie: side by side, each `SIDE - 2` pixels after the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiling {
    /// Rows and columns of the input that a tile reads: 4 or 6.
    pub(crate) side: usize,
    /// Tiles in a row.
    pub(crate) across: usize,
    /// Padding above and to the left.
    pub(crate) pad_begin: [usize; 2],
}

impl Tiling {
    /// Tiles of `side` x `side` pixels for an output map.
    pub(crate) fn new(side: usize, output_width: usize, pad_begin: [usize; 2]) -> Self {
        Self {
            side,
            across: output_width.div_ceil(side - OVERLAP),
            pad_begin,
        }
    }

    /// Rows and columns of the output in a tile.
    pub(crate) fn step(&self) -> usize {
        self.side - OVERLAP
    }

    /// Pixels of an input tile; one matrix product is made for each.
    pub(crate) fn positions(&self) -> usize {
        self.side * self.side
    }
}

/// The input transform: tiles of a map as `output[tile, position, channel]`.
pub(crate) struct InputTransform<'a> {
    pub(crate) tiling: Tiling,
    /// The tiles to transform, counted over the whole map, row by row. `output` begins with the first of them.
    pub(crate) tiles: Range<usize>,
    /// `[height, width, channels]`
    pub(crate) input: &'a [f32],
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Whole vectors of zeros: a pixel of the padding.
    pub(crate) zeros: &'a [f32],
    pub(crate) output: &'a mut [f32],
    /// Elements from one tile to the next.
    pub(crate) output_stride: usize,
}

impl Operation for InputTransform<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        match self.tiling.side {
            4 => self.run_tiles::<S, 4>(simd),
            6 => self.run_tiles::<S, 6>(simd),
            side => unreachable!("no tile has {side} rows"),
        }
    }
}

impl InputTransform<'_> {
    #[inline(always)]
    fn run_tiles<S: Tiles, const SIDE: usize>(self, simd: S) {
        let channels = self.zeros.len();
        let Tiling {
            across, pad_begin, ..
        } = self.tiling;
        assert!(channels.is_multiple_of(S::LANES));
        assert!(self.height * self.width * channels <= self.input.len());
        assert!(SIDE * SIDE * channels <= self.output_stride);
        assert!(self.tiles.len() * self.output_stride <= self.output.len());
        let outputs = self.output.chunks_exact_mut(self.output_stride);
        for (tile, output) in self.tiles.zip(outputs) {
            let first = [tile / across, tile % across].map(|at| at * (SIDE - OVERLAP));
            let pixel = |row: usize, column: usize| {
                let y = unpadded(first[0] + row, pad_begin[0], self.height);
                let x = unpadded(first[1] + column, pad_begin[1], self.width);
                match y.zip(x) {
                    Some((y, x)) => self.input[(y * self.width + x) * channels..].as_ptr(),
                    None => self.zeros.as_ptr(),
                }
            };
            let pixels: [[*const f32; SIDE]; SIDE] =
                from_fn(|column| from_fn(|row| pixel(row, column)));
            let output = output.as_mut_ptr();
            let zero = S::f32s::splat(simd, 0.0);
            for channel in (0..channels).step_by(S::LANES) {
                // SAFETY: every pixel has `channels` elements, whole vectors of them; so has every position of the output.
                unsafe {
                    let mut columns = [[zero; SIDE]; SIDE];
                    unroll!(column in 0..SIDE, max 8 => {
                        let mut values = [zero; SIDE];
                        unroll!(row in 0..SIDE, max 8 => { values[row] = load(simd, pixels[column][row].add(channel)); });
                        columns[column] = transform_input(simd, values);
                    });
                    unroll!(row in 0..SIDE, max 8 => {
                        let mut values = [zero; SIDE];
                        unroll!(column in 0..SIDE, max 8 => { values[column] = columns[column][row]; });
                        let line = transform_input(simd, values);
                        unroll!(column in 0..SIDE, max 8 => {
                            store::<S>(output.add((row * SIDE + column) * channels + channel), line[column]);
                        });
                    });
                }
            }
        }
    }
}

/// `factor * x + sum`
#[inline(always)]
fn scaled_add<S: Tiles>(simd: S, factor: f32, x: S::f32s, sum: S::f32s) -> S::f32s {
    x.mul_add(S::f32s::splat(simd, factor), sum)
}

/// A line of a tile of the input times the matrix that the paper calls B transposed.
#[inline(always)]
fn transform_input<S: Tiles, const SIDE: usize>(simd: S, x: [S::f32s; SIDE]) -> [S::f32s; SIDE] {
    let mut y = x;
    if const { SIDE == 4 } {
        y[0] = x[0] - x[2];
        y[1] = x[1] + x[2];
        y[2] = x[2] - x[1];
        y[3] = x[1] - x[3];
    } else {
        let (even, odd) = (
            scaled_add(simd, -4.0, x[2], x[4]),
            scaled_add(simd, -4.0, x[1], x[3]),
        );
        let (narrow_even, narrow_odd) = (x[4] - x[2], x[3] - x[1]);
        y[0] = scaled_add(simd, 4.0, x[0], scaled_add(simd, -5.0, x[2], x[4]));
        y[1] = even + odd;
        y[2] = even - odd;
        y[3] = scaled_add(simd, 2.0, narrow_odd, narrow_even);
        y[4] = scaled_add(simd, -2.0, narrow_odd, narrow_even);
        y[5] = scaled_add(simd, 4.0, x[1], scaled_add(simd, -5.0, x[3], x[5]));
    }
    y
}

/// The output transform: the products of tiles' positions as pixels, with bias, residual and limits.
pub(crate) struct OutputTransform<'a> {
    pub(crate) tiling: Tiling,
    /// The rows of tiles to transform, counted from the first in `products`.
    pub(crate) tile_rows: Range<usize>,
    /// `[positions, tiles, channels of `bias`]`, whole rows of tiles.
    pub(crate) products: &'a [f32],
    /// Elements from one position to the next.
    pub(crate) position_stride: usize,
    /// Whole vectors.
    pub(crate) bias: &'a [f32],
    /// `[rows, width, stride]`, from the first row of pixels of `tile_rows` on.
    pub(crate) output: &'a mut [f32],
    pub(crate) width: usize,
    /// Elements from one pixel to the next.
    pub(crate) stride: usize,
    /// Laid out as the output.
    pub(crate) residual: Option<&'a [f32]>,
    /// Limits of the output, applied last.
    pub(crate) clamp: Option<[f32; 2]>,
}

impl Operation for OutputTransform<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        match self.tiling.side {
            4 => self.run_tiles::<S, 4, 2>(simd),
            6 => self.run_tiles::<S, 6, 4>(simd),
            side => unreachable!("no tile has {side} rows"),
        }
    }
}

impl OutputTransform<'_> {
    #[inline(always)]
    fn run_tiles<S: Tiles, const SIDE: usize, const STEP: usize>(self, simd: S) {
        const { assert!(STEP + OVERLAP == SIDE) };
        let channels = self.bias.len();
        let line = self.width * self.stride;
        let rows = self.output.len() / line;
        assert!(channels.is_multiple_of(S::LANES) && channels <= self.stride);
        let across = self.tiling.across;
        let tiles = self.tile_rows.start * across..self.tile_rows.end * across;
        let end = (SIDE * SIDE - 1) * self.position_stride + tiles.end * channels;
        assert!(end <= self.products.len());
        let residual = self.residual.map(|residual| &residual[..rows * line]);
        let limits = self
            .clamp
            .map(|limits| limits.map(|limit| S::f32s::splat(simd, limit)));
        let (bias, output) = (self.bias.as_ptr(), self.output.as_mut_ptr());
        for (i, tile) in tiles.enumerate() {
            let (y, x) = (i / across * STEP, i % across * STEP);
            let products = self.products[tile * channels..].as_ptr();
            let zero = S::f32s::splat(simd, 0.0);
            for channel in (0..channels).step_by(S::LANES) {
                // SAFETY: the assertions cover the products of all positions, and `channels` is whole vectors. Pixels are
                // written and read only inside of `rows` and `width`.
                unsafe {
                    let mut columns = [[zero; STEP]; SIDE];
                    unroll!(column in 0..SIDE, max 8 => {
                        let mut values = [zero; SIDE];
                        unroll!(row in 0..SIDE, max 8 => {
                            let at = (row * SIDE + column) * self.position_stride + channel;
                            values[row] = load(simd, products.add(at));
                        });
                        columns[column] = transform_output(simd, values);
                    });
                    let bias = load(simd, bias.add(channel));
                    unroll!(row in 0..STEP, max 5 => {
                        let mut values = [zero; SIDE];
                        unroll!(column in 0..SIDE, max 8 => { values[column] = columns[column][row]; });
                        let pixels: [S::f32s; STEP] = transform_output(simd, values);
                        unroll!(column in 0..STEP, max 5 => {
                            if y + row < rows && x + column < self.width {
                                let at = (y + row) * line + (x + column) * self.stride + channel;
                                let mut sum = pixels[column] + bias;
                                if let Some(residual) = residual {
                                    sum += load(simd, residual.as_ptr().add(at));
                                }
                                if let Some([low, high]) = limits {
                                    sum = sum.max(low).min(high);
                                }
                                store::<S>(output.add(at), sum);
                            }
                        });
                    });
                }
            }
        }
    }
}

/// A line of a tile's products times the matrix that the paper calls A transposed.
#[inline(always)]
fn transform_output<S: Tiles, const SIDE: usize, const STEP: usize>(
    simd: S,
    x: [S::f32s; SIDE],
) -> [S::f32s; STEP] {
    let mut y = [x[0]; STEP];
    let (sum, difference) = (x[1] + x[2], x[1] - x[2]);
    if const { SIDE == 4 } {
        y[0] = x[0] + sum;
        y[1] = difference - x[3];
    } else {
        let (wide_sum, wide_difference) = (x[3] + x[4], x[3] - x[4]);
        y[0] = x[0] + sum + wide_sum;
        y[1] = scaled_add(simd, 2.0, wide_difference, difference);
        y[2] = scaled_add(simd, 4.0, wide_sum, sum);
        y[3] = scaled_add(simd, 8.0, wide_difference, difference) + x[5];
    }
    y
}

/// A 3 x 3 filter, row by row, transformed for the `SIDE` x `SIDE` positions of a tile: the paper's G, from both sides.
pub(crate) fn transform_filter<const SIDE: usize>(filter: [f32; 9]) -> [[f32; SIDE]; SIDE] {
    // In f64: the results are rounded once.
    let row =
        |y: usize| transform_filter_line::<SIDE>([0, 1, 2].map(|x| f64::from(filter[3 * y + x])));
    let rows = [row(0), row(1), row(2)];
    let columns: [[f64; SIDE]; SIDE] =
        from_fn(|x| transform_filter_line([0, 1, 2].map(|y| rows[y][x])));
    #[allow(clippy::cast_possible_truncation)] // Rounded, as meant.
    from_fn(|y| from_fn(|x| columns[x][y] as f32))
}

/// A line of a filter times the matrix that the paper calls G.
fn transform_filter_line<const SIDE: usize>([a, b, c]: [f64; 3]) -> [f64; SIDE] {
    let around = |x: f64, y: f64, z: f64| [x + y + z, x - y + z];
    let mut y = [a; SIDE];
    if const { SIDE == 4 } {
        y[1..3].copy_from_slice(&around(a / 2.0, b / 2.0, c / 2.0));
    } else {
        y[0] = a / 4.0;
        y[1..3].copy_from_slice(&around(a / -6.0, b / -6.0, c / -6.0));
        y[3..5].copy_from_slice(&around(a / 24.0, b / 12.0, c / 6.0));
    }
    y[SIDE - 1] = c;
    y
}
