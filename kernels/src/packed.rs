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
}

impl PackedMatrix {
    /// Packs `weight(output, k)` for `k < depth`; the outputs beyond `bias` up to a whole vector are zeros.
    ///
    /// With `uniform` all panels are equally wide, as the channel groups of a block must be.
    pub(crate) fn new(
        token: Token,
        bias: &[f32],
        depth: usize,
        uniform: bool,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let panels = panels(bias.len().div_ceil(token.lanes()), token, uniform);
        let outputs = panels.last().map_or(0, |panel| panel.first + panel.width);
        let mut weights = Buffer::zeroed(outputs * depth);
        for panel in &panels {
            let rows =
                weights[panel.first * depth..][..panel.width * depth].chunks_exact_mut(panel.width);
            for (k, row) in rows.enumerate() {
                for (output, packed) in (panel.first..bias.len()).zip(row) {
                    *packed = weight(output, k);
                }
            }
        }
        Self {
            token,
            panels,
            weights,
            bias: Buffer::padded(bias, outputs),
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

/// Cuts `vectors` into panels as wide as the kernel allows.
fn panels(mut vectors: usize, token: Token, uniform: bool) -> Vec<Panel> {
    let (lanes, widest) = (token.lanes(), token.panel_vectors());
    let uniform = uniform.then(|| {
        (1..=widest)
            .rev()
            .find(|width| vectors.is_multiple_of(*width))
            .unwrap_or(1)
    });
    let mut panels = Vec::new();
    let mut first = 0;
    while vectors > 0 {
        // A last panel of one vector is slow: four are better cut into 2 + 2 than into 3 + 1.
        let width = uniform.unwrap_or(if vectors == widest + 1 {
            vectors.div_ceil(2)
        } else {
            widest.min(vectors)
        });
        panels.push(Panel {
            first,
            width: width * lanes,
            vectors: width,
        });
        first += width * lanes;
        vectors -= width;
    }
    panels
}
