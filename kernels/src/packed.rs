//! Weights in the order in which the inner loops read them.

use std::ops::Range;

use crate::buffer::Buffer;
use crate::kernel::Token;
use crate::micro::{Gemm, Gemv, OutputLayout, Segments, ToWords};

/// A matrix `[out, in]` cut into panels of a few vectors of outputs; inside a panel `[words of in, panel width]`.
///
/// A word is a number, or two of them one after the other in bf16: see [`Words`](crate::micro::Words).
#[derive(Debug)]
pub(crate) struct PackedMatrix {
    token: Token,
    panels: Vec<Panel>,
    weights: Buffer,
    bias: Buffer,
    /// Numbers in a row.
    depth: usize,
    /// Words in a row.
    words: usize,
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
        let numbers_in_word = token.numbers_in_word();
        let words = depth.div_ceil(numbers_in_word);
        let mut weights = Buffer::zeroed(outputs * words);
        for panel in &panels {
            let mut numbers = vec![0.0; panel.width * numbers_in_word];
            let rows =
                weights[panel.first * words..][..panel.width * words].chunks_exact_mut(panel.width);
            for (word, row) in rows.enumerate() {
                let numbers_of_outputs = numbers.chunks_exact_mut(numbers_in_word);
                for (output, numbers) in (panel.first..bias.len()).zip(numbers_of_outputs) {
                    for (k, number) in (word * numbers_in_word..).zip(numbers) {
                        *number = if k < depth { weight(output, k) } else { 0.0 };
                    }
                }
                token.run(ToWords {
                    input: &numbers,
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
        Self {
            token,
            panels,
            weights,
            bias,
            depth,
            words,
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
            &self.weights[panel.first * self.words..][..panel.width * self.words],
            &self.bias[panel.first..][..panel.width],
        )
    }

    /// Words in a row.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Rows of numbers, `stride` apart, in the words that are multiplied: as they are, or else in `converted`, which takes
    /// [`converted_len`](Token::converted_len).
    pub(crate) fn words_of<'a>(
        &self,
        numbers: &'a [f32],
        stride: usize,
        converted: &'a mut [f32],
    ) -> &'a [f32] {
        let len = self.token.converted_len(numbers.len());
        if len == 0 {
            return numbers;
        }
        let converted = &mut converted[..len];
        self.token.run(ToWords {
            input: numbers,
            output: converted,
        });
        if !self.depth.is_multiple_of(2) {
            // The second number of a row's last pair is padding, which may be anything, and anything times 0 is not 0.
            for row in converted.chunks_exact_mut(stride / 2) {
                let pair = &mut row[self.depth / 2];
                *pair = f32::from_bits(pair.to_bits() & 0xFFFF);
            }
        }
        converted
    }

    /// Multiplies `rows` with one panel and writes its outputs, from the beginning of `rows.output` on.
    pub(crate) fn multiply(&self, panel: Panel, rows: Rows<'_>) {
        let (weights, bias) = self.panel_weights(panel);
        debug_assert_eq!(rows.segments.count * rows.segments.len, self.words);
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

    /// Multiplies one vector, as [`words_of`](Self::words_of) gives it, with the panels in `range`; `output` begins at the first of them.
    pub(crate) fn multiply_vector(&self, range: Range<usize>, input: &[f32], output: &mut [f32]) {
        let panels = &self.panels[range];
        let origin = panels.first().map_or(0, |panel| panel.first);
        for &panel in panels {
            let (weights, bias) = self.panel_weights(panel);
            let output = &mut output[panel.first - origin..][..panel.width];
            self.token.run(Gemv {
                input: &input[..self.words],
                weights,
                bias,
                vectors: panel.vectors,
                output,
            });
        }
    }
}

/// The rows that a panel is multiplied with, in words, and where the result goes. See [`Gemm`].
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
