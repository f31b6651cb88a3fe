//! A depthwise convolution of a whole map, for any kernel, stride and padding.

use std::ops::Range;

use fearless_simd::prelude::{SimdBase, SimdFloat};

use super::{Operand, Operation, Tiles, load, store};

/// Output pixels of a tile, at most: with as many sums in registers, a weight is loaded once for all of them.
const PIXELS: usize = 8;

/// Some output rows of a depthwise convolution, in f32 on every instruction set.
pub(crate) struct DepthwiseMap<'a> {
    /// `[height, width, channels]`
    pub(crate) input: &'a [f32],
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Padded to whole vectors.
    pub(crate) channels: usize,
    /// `[kernel height, kernel width, channels]`
    pub(crate) weights: &'a [f32],
    /// `[channels]`
    pub(crate) bias: &'a [f32],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Padding above and to the left.
    pub(crate) pad_begin: [usize; 2],
    /// Rows of the output to compute.
    pub(crate) rows: Range<usize>,
    /// Columns of the output.
    pub(crate) columns: usize,
    /// `[rows, columns, channels]`
    pub(crate) output: &'a mut [f32],
    /// Limits of the output.
    pub(crate) clamp: [f32; 2],
}

impl Operation for DepthwiseMap<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        let taps = self.kernel[0] * self.kernel[1];
        assert!(self.channels.is_multiple_of(S::LANES));
        assert!(self.height * self.width * self.channels <= self.input.len());
        assert!(taps * self.channels <= self.weights.len() && self.channels <= self.bias.len());
        assert!(self.rows.len() * self.columns * self.channels <= self.output.len());
        let shared = Shared {
            input: self.input,
            width: self.width,
            channels: self.channels,
            weights: self.weights,
            bias: self.bias,
            kernel_width: self.kernel[1],
            stride: self.stride[1],
            pad_begin: self.pad_begin,
            clamp: self.clamp,
        };
        for (i, row) in self.rows.clone().enumerate() {
            let taps_y = taps_inside(
                row * self.stride[0],
                self.pad_begin[0],
                self.kernel[0],
                self.height,
            );
            let line = i * self.columns * self.channels;
            let mut x = 0;
            while x < self.columns {
                let taps_x = taps_inside(
                    x * self.stride[1],
                    self.pad_begin[1],
                    self.kernel[1],
                    self.width,
                );
                let whole = |x: usize| {
                    taps_inside(
                        x * self.stride[1],
                        self.pad_begin[1],
                        self.kernel[1],
                        self.width,
                    ) == (0..self.kernel[1])
                };
                // A tile's pixels all have all taps, so that they share the weights.
                let pixels = if x + PIXELS <= self.columns && whole(x) && whole(x + PIXELS - 1) {
                    PIXELS
                } else if x + PIXELS / 2 <= self.columns && whole(x) && whole(x + PIXELS / 2 - 1) {
                    PIXELS / 2
                } else {
                    1
                };
                let tile = Tile {
                    x,
                    taps_y: taps_y.clone(),
                    taps_x,
                    top: row * self.stride[0],
                };
                let output = &mut self.output[line + x * self.channels..][..pixels * self.channels];
                // SAFETY: `taps_inside` keeps every tap inside the map, and the assertions cover the map, the weights of
                // every tap and the output of all pixels.
                unsafe {
                    match pixels {
                        PIXELS => tile_of::<S, PIXELS>(simd, &shared, &tile, output),
                        HALF => tile_of::<S, HALF>(simd, &shared, &tile, output),
                        _ => tile_of::<S, 1>(simd, &shared, &tile, output),
                    }
                }
                x += pixels;
            }
        }
    }
}

const HALF: usize = PIXELS / 2;

/// Pixels side by side, with the taps that lie in the map.
struct Tile {
    x: usize,
    taps_y: Range<usize>,
    taps_x: Range<usize>,
    /// Row of the first tap in the padded map.
    top: usize,
}

/// What does not change from tile to tile.
struct Shared<'a> {
    input: &'a [f32],
    width: usize,
    channels: usize,
    weights: &'a [f32],
    bias: &'a [f32],
    kernel_width: usize,
    stride: usize,
    pad_begin: [usize; 2],
    clamp: [f32; 2],
}

/// The taps that read the map and not its padding, of a window that begins at `start` in the padded map.
#[inline(always)]
fn taps_inside(start: usize, pad_begin: usize, kernel: usize, size: usize) -> Range<usize> {
    let first = pad_begin.saturating_sub(start).min(kernel);
    let last = (pad_begin + size).saturating_sub(start).min(kernel);
    first..last.max(first)
}

/// # Safety
/// All taps of the `P` pixels must lie in the map, and `output` must hold `P` pixels.
#[inline(always)]
unsafe fn tile_of<S: Tiles, const P: usize>(
    simd: S,
    it: &Shared<'_>,
    tile: &Tile,
    output: &mut [f32],
) {
    let low = S::f32s::splat(simd, it.clamp[0]);
    let high = S::f32s::splat(simd, it.clamp[1]);
    let input = it.input.as_ptr();
    let output = output.as_mut_ptr();
    for channel in (0..it.channels).step_by(S::LANES) {
        // SAFETY (all blocks): the caller's promise.
        let mut sums = [unsafe { load(simd, it.bias.as_ptr().add(channel)) }; P];
        for ky in tile.taps_y.clone() {
            let line = (tile.top + ky - it.pad_begin[0]) * it.width;
            for kx in tile.taps_x.clone() {
                let from = line + tile.x * it.stride + kx - it.pad_begin[1];
                let tap = ky * it.kernel_width + kx;
                let weight =
                    unsafe { load(simd, it.weights.as_ptr().add(tap * it.channels + channel)) };
                let from = unsafe { input.add(from * it.channels + channel) };
                unroll!(p in 0..P, max 8 => {
                    let x = unsafe { load(simd, from.add(p * it.stride * it.channels)) };
                    sums[p] = x.mul_add(weight, sums[p]);
                });
            }
        }
        unroll!(p in 0..P, max 8 => {
            unsafe { store::<S>(output.add(p * it.channels + channel), sums[p].max(low).min(high)) };
        });
    }
}
