//! Weights in the order in which the inner loops read them.

use std::ops::Range;

use crate::BuildError;
use crate::buffer::Buffer;
use crate::isa::Token;
use crate::micro::{Gemm, Gemv, OutputLayout, Pack, Segments};
use crate::shape::checked_len;

/// A matrix `[out, in]` in panels of a few vectors of outputs; inside a panel `[packed depth, panel width]`.
///
/// It holds elements in f32, or packed pairs of them in bf16: see [`Operand`](crate::micro::Operand).
#[derive(Debug)]
pub(crate) struct PackedMatrix {
    token: Token,
    panels: Vec<Panel>,
    weights: Buffer,
    bias: Buffer,
    /// Elements in a row.
    depth: usize,
    /// Elements or packed pairs in a row.
    packed_depth: usize,
}

/// One panel: `vectors` vectors of outputs, from output `first` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub(crate) first: usize,
    pub(crate) width: usize,
    vectors: usize,
    /// The last vector is half empty: it is packed with the lower half in both halves. See [`Gemm`].
    half: bool,
}

impl PackedMatrix {
    /// Packs `weight(output, k)` for `k < depth`; the outputs beyond `bias` up to a whole vector are zeros.
    ///
    /// # Errors
    /// [`BuildError::TooLarge`] if memory cannot hold the padded matrix.
    pub(crate) fn new(
        token: Token,
        bias: &[f32],
        depth: usize,
        widths: PanelWidths,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Result<Self, BuildError> {
        let lanes = token.lanes();
        let panels = widths.panels(bias.len(), token);
        let outputs = panels.last().map_or(0, |panel| panel.first + panel.width);
        checked_len([outputs, depth])?;
        let factor = token.pack_factor();
        let packed_depth = depth.div_ceil(factor);
        let mut weights = Buffer::zeroed(outputs * packed_depth);
        for panel in &panels {
            let mut elements = vec![0.0; panel.width * factor];
            let rows = weights[panel.first * packed_depth..][..panel.width * packed_depth]
                .chunks_exact_mut(panel.width);
            for (i, row) in rows.enumerate() {
                let of_outputs = elements.chunks_exact_mut(factor);
                for (output, elements) in (panel.first..bias.len()).zip(of_outputs) {
                    for (k, element) in (i * factor..).zip(elements) {
                        *element = if k < depth { weight(output, k) } else { 0.0 };
                    }
                }
                token.run(Pack {
                    input: &elements,
                    output: row,
                });
                if panel.half {
                    double_last(row, lanes);
                }
            }
        }
        let mut bias = Buffer::padded(bias, outputs);
        if panels.last().is_some_and(|panel| panel.half) {
            double_last(&mut bias, lanes);
        }
        Ok(Self {
            token,
            panels,
            weights,
            bias,
            depth,
            packed_depth,
        })
    }

    pub(crate) fn panels(&self) -> &[Panel] {
        &self.panels
    }

    /// The instruction set it was packed for.
    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Outputs in some of the panels.
    pub(crate) fn width(&self, panels: Range<usize>) -> usize {
        self.panels[panels].iter().map(|panel| panel.width).sum()
    }

    /// Outputs, padded to whole vectors.
    pub(crate) fn outputs(&self) -> usize {
        self.bias.len()
    }

    fn panel_weights(&self, panel: Panel) -> (&[f32], &[f32]) {
        (
            &self.weights[panel.first * self.packed_depth..][..panel.width * self.packed_depth],
            &self.bias[panel.first..][..panel.width],
        )
    }

    /// Elements or packed pairs in a row.
    pub(crate) fn packed_depth(&self) -> usize {
        self.packed_depth
    }

    /// Rows of elements, `stride` apart, as they are multiplied: in f32 as they are, or else packed into `packed`, which
    /// takes [`packed_len`](Token::packed_len).
    pub(crate) fn pack_rows<'a>(
        &self,
        elements: &'a [f32],
        stride: usize,
        packed: &'a mut [f32],
    ) -> &'a [f32] {
        let len = self.token.packed_len(elements.len());
        if len == 0 {
            return elements;
        }
        let packed = &mut packed[..len];
        self.token.run(Pack {
            input: elements,
            output: packed,
        });
        if !self.depth.is_multiple_of(2) {
            // The second element of a row's last pair is padding, which may be anything, and anything times 0 is not 0.
            for row in packed.chunks_exact_mut(stride / 2) {
                let pair = &mut row[self.depth / 2];
                *pair = f32::from_bits(pair.to_bits() & 0xFFFF);
            }
        }
        packed
    }

    /// Multiplies `rows` with one panel and writes its outputs, from the beginning of `rows.output` on.
    pub(crate) fn multiply(&self, panel: Panel, rows: Rows<'_>) {
        let (weights, bias) = self.panel_weights(panel);
        debug_assert_eq!(rows.segments.count * rows.segments.len, self.packed_depth);
        self.token.run(Gemm {
            input: rows.input,
            input_stride: rows.input_stride,
            segments: rows.segments,
            weights,
            bias,
            vectors: panel.vectors,
            half: panel.half,
            rows: rows.count,
            output: rows.output,
            layout: rows.layout,
            residual: rows.residual,
            clamp: rows.clamp,
        });
    }

    /// Multiplies one vector, as [`pack_rows`](Self::pack_rows) gives it, with the panels in `range`; `output` begins at
    /// the first of them.
    pub(crate) fn multiply_vector(&self, range: Range<usize>, input: &[f32], output: &mut [f32]) {
        let panels = &self.panels[range];
        let origin = panels.first().map_or(0, |panel| panel.first);
        for &panel in panels {
            let (weights, bias) = self.panel_weights(panel);
            let output = &mut output[panel.first - origin..][..panel.width];
            self.token.run(Gemv {
                input: &input[..self.packed_depth],
                weights,
                bias,
                vectors: panel.vectors,
                output,
            });
        }
    }
}

/// The rows that a panel is multiplied with, packed, and where the result goes. See [`Gemm`].
pub(crate) struct Rows<'a> {
    pub(crate) count: usize,
    pub(crate) input: &'a [f32],
    pub(crate) input_stride: usize,
    pub(crate) segments: Segments,
    pub(crate) output: &'a mut [f32],
    pub(crate) layout: OutputLayout,
    pub(crate) residual: Option<&'a [f32]>,
    /// Limits of the output, applied last.
    pub(crate) clamp: Option<[f32; 2]>,
}

/// Copies the lower half of the last vector into its upper half.
fn double_last(row: &mut [f32], lanes: usize) {
    let middle = row.len() - lanes / 2;
    row.copy_within(middle - lanes / 2..middle, middle);
}

/// How wide the panels of a matrix are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PanelWidths {
    /// As wide as the instruction set allows.
    Widest,
    /// All equally wide, as the channel groups of a block must be.
    Equal,
    /// As wide as the instruction set allows, with half a vector at the end where that is enough and such tiles pay.
    WidestAndHalf,
}

impl PanelWidths {
    fn panels(self, outputs: usize, token: Token) -> Vec<Panel> {
        let (lanes, widest) = (token.lanes(), token.panel_vectors());
        let mut vectors = outputs.div_ceil(lanes);
        let even = (self == Self::Equal)
            .then(|| {
                (1..=widest)
                    .rev()
                    .find(|width| vectors.is_multiple_of(*width))
            })
            .flatten();
        let rest = outputs % lanes;
        let half = self == Self::WidestAndHalf
            && token.has_halves()
            && vectors > 1
            && (1..=lanes / 2).contains(&rest);
        // One and a half or two and a half vectors, so that whole panels are left.
        let last = match (half, vectors % widest) {
            (false, _) => 0,
            (true, 0) => 3,
            (true, _) => 2,
        };
        vectors -= last;
        let mut panels = Vec::new();
        let mut first = 0;
        let mut push = |width: usize, half| {
            panels.push(Panel {
                first,
                width: width * lanes,
                vectors: width,
                half,
            });
            first += width * lanes;
        };
        while vectors > 0 {
            // A last panel of one vector is slow: 2 + 2 vectors are faster than 3 + 1.
            let width = even.unwrap_or(if vectors == widest + 1 {
                vectors.div_ceil(2)
            } else {
                widest.min(vectors)
            });
            push(width, false);
            vectors -= width;
        }
        if half {
            push(last, true);
        }
        panels
    }
}
