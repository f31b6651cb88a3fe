//! 3 x 3 convolutions by Winograd's minimal filtering: a quarter or 4/9 of the multiplications, at the cost of
//! additions before and after. See [`InputTransform`].

use super::super::kernel::Kernel;
use crate::activation::Activation;
use crate::buffer::Buffer;
use crate::graph::Conv;
use crate::isa::Token;
use crate::micro::{
    InputTransform, OutputLayout, OutputTransform, Segments, Tiling, transform_filter,
};
use crate::packed::{PackedMatrix, PanelWidths, Rows};
use crate::scratch::{Scratch, ScratchLen};
use crate::shape::{CHANNEL_ALIGN, checked_len};
use crate::team::split;
use crate::{BuildError, MapShape, ThreadTeam};

#[derive(Debug)]
pub(super) struct Winograd {
    token: Token,
    /// Transformed: `[outputs, channels]` for each position of a tile.
    filters: Vec<PackedMatrix>,
    bias: Buffer,
    activation: Activation,
    tiling: Tiling,
    input: MapShape,
    output: MapShape,
    residual: bool,
    /// A pixel of the padding.
    zeros: Buffer,
    /// Rows of tiles that are multiplied at once.
    rows_per_band: usize,
}

/// With fewer channels the transforms take longer than the multiplications that they save.
const CHANNELS_MIN: usize = 16;
/// Smaller maps gain little for the memory that their transformed filters take.
const OUTPUT_SIDE_MIN: usize = 12;
/// On smaller maps, tiles of 6 x 6 take longer than those of 4 x 4, whose transformed filters are smaller.
const LARGE_TILE_OUTPUT_SIDE_MIN: usize = 24;
/// Elements of the transformed tiles and the products of a band, unless a single row of tiles has more. From a quarter of it on,
/// layers are about as fast on a Zen 4; with eight times as many, early layers take up to 1.8 times as long.
const BAND_ELEMENTS: usize = 1 << 19;
const TAPS: usize = 9;

/// The sides of the tiles that pay, the fastest first.
fn tile_sides(conv: &Conv, input: MapShape, output: MapShape) -> &'static [usize] {
    let output_side = output.height().min(output.width());
    let suits = conv.window.kernel == [3, 3]
        && conv.window.stride == [1, 1]
        && conv.groups == 1
        && input.channels().min(output.channels()) >= CHANNELS_MIN;
    match output_side {
        _ if !suits => &[],
        LARGE_TILE_OUTPUT_SIDE_MIN.. => &[6, 4],
        OUTPUT_SIDE_MIN.. => &[4],
        _ => &[],
    }
}

impl Winograd {
    /// `None` if it does not pay, or if the transformed filters take more than `budget` elements beyond the weights; what
    /// they take is subtracted from `budget`.
    pub(super) fn new(
        token: Token,
        conv: &Conv,
        [input, output]: [MapShape; 2],
        weight: &[f32],
        bias: &[f32],
        budget: &mut usize,
    ) -> Result<Option<Self>, BuildError> {
        let outputs = output.channels().next_multiple_of(token.lanes());
        let packed = input.channels() * outputs;
        let extra = |side: &usize| (side * side).saturating_mul(packed) - weight.len();
        let mut sides = tile_sides(conv, input, output).iter();
        let Some(&side) = sides.find(|side| extra(side) <= *budget) else {
            return Ok(None);
        };
        *budget -= extra(&side);
        let tiling = Tiling::new(side, output.width(), conv.window.pad_begin);
        let filters = if side == 4 {
            pack::<4>(token, weight, input.channels(), output.channels())?
        } else {
            pack::<6>(token, weight, input.channels(), output.channels())?
        };
        let of_pixel = input.channel_stride() + outputs;
        let of_tile = checked_len([tiling.positions(), of_pixel])? + CHANNEL_ALIGN;
        let of_row = checked_len([tiling.across, of_tile])?;
        let rows = output.height().div_ceil(tiling.step());
        checked_len([rows, of_row])?;
        let bands = rows.div_ceil((BAND_ELEMENTS / of_row).max(1));
        Ok(Some(Self {
            token,
            bias: Buffer::padded(bias, outputs),
            filters,
            activation: Activation::new(conv.activation),
            tiling,
            input,
            output,
            residual: conv.residual,
            zeros: Buffer::zeroed(input.channel_stride()),
            rows_per_band: rows.div_ceil(bands),
        }))
    }

    /// Elements from one transformed tile to the next: one cache line more than a tile has, because a stride of whole pages would
    /// map all tiles to the same L1 sets.
    fn tile_stride(&self) -> usize {
        self.tiling.positions() * self.input.channel_stride() + CHANNEL_ALIGN
    }

    fn tiles_per_band(&self) -> usize {
        self.rows_per_band * self.tiling.across
    }

    fn transform_input(
        &self,
        team: &mut ThreadTeam,
        first: usize,
        input: &[f32],
        tiles: &mut [f32],
    ) {
        let stride = self.tile_stride();
        let count = tiles.len() / stride;
        let shares = || team.shares(count);
        let pieces = split(tiles, shares().map(|share| share.len() * stride));
        team.for_each(shares().zip(pieces), |(share, tiles)| {
            self.token.run(InputTransform {
                tiling: self.tiling,
                tiles: first + share.start..first + share.end,
                input,
                height: self.input.height(),
                width: self.input.width(),
                zeros: &self.zeros,
                output: tiles,
                output_stride: stride,
            });
        });
    }

    /// Multiplies each position of all tiles with its filters.
    fn multiply(&self, team: &mut ThreadTeam, tiles: &[f32], products: &mut [f32]) {
        let (stride, outputs) = (self.tile_stride(), self.bias.len());
        let count = tiles.len() / stride;
        let len = count * outputs;
        let shares = || team.shares(self.tiling.positions());
        let pieces = split(products, shares().map(|share| share.len() * len));
        team.for_each(shares().zip(pieces), |(share, products)| {
            for (position, products) in share.zip(products.chunks_exact_mut(len)) {
                let filter = &self.filters[position];
                for &panel in filter.panels() {
                    filter.multiply(
                        panel,
                        Rows {
                            count,
                            input: &tiles[position * self.input.channel_stride()..],
                            input_stride: stride,
                            segments: Segments::contiguous(self.input.channels()),
                            output: &mut products[panel.first..],
                            layout: OutputLayout::dense(outputs),
                            residual: None,
                            clamp: None,
                        },
                    );
                }
            }
        });
    }

    /// Writes rows of pixels; `residual` begins at the first of them, too.
    fn transform_output(
        &self,
        team: &mut ThreadTeam,
        products: &[f32],
        residual: Option<&[f32]>,
        output: &mut [f32],
    ) {
        let step = self.tiling.step();
        let stride = self.output.channel_stride();
        let line = self.output.width() * stride;
        let rows = output.len() / line;
        let position_stride = products.len() / self.tiling.positions();
        let shares = || team.shares(rows.div_ceil(step));
        let lengths =
            shares().map(|share| (share.end * step).min(rows) - (share.start * step).min(rows));
        let pieces = split(output, lengths.map(|rows| rows * line));
        team.for_each(shares().zip(pieces), |(share, output)| {
            self.token.run(OutputTransform {
                tiling: self.tiling,
                tile_rows: share.clone(),
                products,
                position_stride,
                bias: &self.bias,
                output,
                width: self.output.width(),
                stride,
                residual: residual.map(|residual| &residual[share.start * step * line..]),
                clamp: self.activation.clamp,
            });
            self.activation.finish(self.token, output);
        });
    }
}

/// The transformed filters, for each position of a tile. While they are packed, they take their memory twice.
fn pack<const SIDE: usize>(
    token: Token,
    weight: &[f32],
    channels: usize,
    outputs: usize,
) -> Result<Vec<PackedMatrix>, BuildError> {
    // `[channels, outputs]` for each position, and a cache line, because a stride of whole pages would map all positions to the
    // same L1 sets.
    let len = channels * outputs + CHANNEL_ALIGN;
    let mut values = vec![0.0; checked_len([SIDE * SIDE, len])?];
    let (filters, _) = weight.as_chunks::<TAPS>();
    for at in 0..channels * outputs {
        let (channel, output) = (at / outputs, at % outputs);
        let of_positions = transform_filter::<SIDE>(filters[output * channels + channel]);
        for (position, value) in of_positions.iter().flatten().enumerate() {
            values[position * len + at] = *value;
        }
    }
    let none = vec![0.0; outputs];
    let matrices = values.chunks_exact(len).map(|values| {
        let value = |output, channel| values[channel * outputs + output];
        PackedMatrix::new(token, &none, channels, PanelWidths::Widest, value)
    });
    matrices.collect()
}

impl Kernel for Winograd {
    fn name(&self) -> &'static str {
        // As the paper names them: by the pixels that a tile gives.
        match self.tiling.step() {
            2 => "Winograd 2x2",
            _ => "Winograd 4x4",
        }
    }

    fn scratch_len(&self) -> ScratchLen {
        ScratchLen {
            operands: self.tiles_per_band() * self.tile_stride(),
            products: self.tiles_per_band() * self.tiling.positions() * self.bias.len(),
            ..ScratchLen::default()
        }
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let across = self.tiling.across;
        let rows = self.rows_per_band * self.tiling.step();
        let line = self.output.width() * self.output.channel_stride();
        let output = &mut output[..self.output.buffer_len()];
        for (band, output) in output.chunks_mut(rows * line).enumerate() {
            let count = (output.len() / line).div_ceil(self.tiling.step()) * across;
            let tiles = &mut scratch.operands[..count * self.tile_stride()];
            self.transform_input(team, band * self.tiles_per_band(), inputs[0], tiles);
            let products =
                &mut scratch.products[..count * self.tiling.positions() * self.bias.len()];
            self.multiply(team, tiles, products);
            let residual = self.residual.then(|| &inputs[1][band * rows * line..]);
            self.transform_output(team, products, residual, output);
        }
    }
}
