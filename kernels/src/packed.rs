//! Weights in the order in which the inner loops read them.

use std::ops::Range;

use crate::buffer::Buffer;
use crate::kernel::Token;
use crate::micro::{Gemm, Gemv, OutputLayout, Segments};

/// A matrix `[out, in]` cut into panels of a few vectors of outputs; inside a panel `[in, panel width]`.
#[derive(Debug)]
pub(crate) struct PackedMatrix {
    token: Token,
    panels: Vec<Panel>,
    weights: Buffer,
    bias: Buffer,
    depth: usize,
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
    pub(crate) fn new(
        token: Token,
        bias: &[f32],
        depth: usize,
        cut: Cut,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let lanes = token.lanes();
        let panels = cut.panels(bias.len(), token);
        let outputs = panels.last().map_or(0, |panel| panel.first + panel.width);
        let mut weights = Buffer::zeroed(outputs * depth);
        for panel in &panels {
            let rows =
                weights[panel.first * depth..][..panel.width * depth].chunks_exact_mut(panel.width);
            for (k, row) in rows.enumerate() {
                for (output, packed) in (panel.first..bias.len()).zip(&mut *row) {
                    *packed = weight(output, k);
                }
                if panel.half {
                    double_last(row, lanes);
                }
            }
        }
        let mut bias = Buffer::padded(bias, outputs);
        if panels.last().is_some_and(|panel| panel.half) {
            double_last(&mut bias, lanes);
        }
        Self {
            token,
            panels,
            weights,
            bias,
            depth,
        }
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
            &self.weights[panel.first * self.depth..][..panel.width * self.depth],
            &self.bias[panel.first..][..panel.width],
        )
    }

    /// Multiplies `rows` with one panel and writes its outputs, from the beginning of `rows.output` on.
    pub(crate) fn multiply(&self, panel: Panel, rows: Rows<'_>) {
        let (weights, bias) = self.panel_weights(panel);
        debug_assert_eq!(rows.segments.count * rows.segments.len, self.depth);
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
            relu6: rows.relu6,
        });
    }

    /// Multiplies one vector `[depth]` with the panels in `range`; `output` begins at the first of them.
    pub(crate) fn multiply_vector(&self, range: Range<usize>, input: &[f32], output: &mut [f32]) {
        let panels = &self.panels[range];
        let origin = panels.first().map_or(0, |panel| panel.first);
        for &panel in panels {
            let (weights, bias) = self.panel_weights(panel);
            let output = &mut output[panel.first - origin..][..panel.width];
            self.token.run(Gemv {
                input: &input[..self.depth],
                weights,
                bias,
                vectors: panel.vectors,
                output,
            });
        }
    }
}

/// The rows that a panel is multiplied with, and where the result goes. See [`Gemm`].
pub(crate) struct Rows<'a> {
    pub(crate) count: usize,
    pub(crate) input: &'a [f32],
    pub(crate) input_stride: usize,
    pub(crate) segments: Segments,
    pub(crate) output: &'a mut [f32],
    pub(crate) layout: OutputLayout,
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) relu6: bool,
}

/// Copies the lower half of the last vector into its upper half.
fn double_last(row: &mut [f32], lanes: usize) {
    let middle = row.len() - lanes / 2;
    row.copy_within(middle - lanes / 2..middle, middle);
}

/// How a matrix is cut into panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// As wide as the kernel allows.
    Wide,
    /// All equally wide, as the channel groups of a block must be.
    Even,
    /// As wide as the kernel allows, with half a vector at the end where that is enough and the kernel has such tiles.
    Halves,
}

impl Cut {
    fn panels(self, outputs: usize, token: Token) -> Vec<Panel> {
        let (lanes, widest) = (token.lanes(), token.panel_vectors());
        let mut vectors = outputs.div_ceil(lanes);
        let even = (self == Self::Even)
            .then(|| {
                (1..=widest)
                    .rev()
                    .find(|width| vectors.is_multiple_of(*width))
            })
            .flatten();
        let rest = outputs % lanes;
        let half = self == Self::Halves
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
            // A last panel of one vector is slow: four are better cut into 2 + 2 than into 3 + 1.
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
