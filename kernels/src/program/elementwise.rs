//! Operations on elements that could not be fused into a product.

use super::kernel::Kernel;
use super::planner::Planner;
use super::relayout::Layout;
use crate::activation::Apply;
use crate::graph::{Binary, Node, Unary, ValueId, combine};
use crate::isa::Token;
use crate::micro::{Operand, Operation, Tiles};
use crate::scratch::Scratch;
use crate::shape::CHANNEL_ALIGN;
use crate::team::split;
use crate::{BuildError, ThreadTeam};

/// An operation on each element.
#[derive(Debug)]
struct Each {
    token: Token,
    unary: Unary,
    /// Elements, padding included.
    len: usize,
}

impl Kernel for Each {
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let shares = || team.shares(self.len);
        let pieces = split(output, shares().map(|share| share.len()));
        team.for_each(shares().zip(pieces), |(share, values)| {
            values.copy_from_slice(&inputs[0][share]);
            self.token.run(Apply::new(self.unary, values));
        });
    }
}

/// An operation on pairs of elements.
#[derive(Debug)]
struct Pairs {
    token: Token,
    binary: Binary,
    /// Whether the second operand is the operation's first.
    swapped: bool,
    second: Second,
    /// Elements that are combined with the second operand's at a time: a row.
    row: usize,
    rows: usize,
}

/// How the second operand repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// As many elements as the first.
    Same,
    /// As many as a row, without padding.
    Row(usize),
    /// One.
    Scalar,
}

impl Kernel for Pairs {
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let shares = || team.shares(self.rows);
        let pieces = split(output, shares().map(|share| share.len() * self.row));
        let [first, second] = [inputs[0], inputs[1]];
        team.for_each(shares().zip(pieces), |(share, output)| {
            let at = share.start * self.row;
            self.token.run(CombineRows {
                it: self,
                first: &first[at..][..output.len()],
                second: if self.second == Second::Same {
                    &second[at..][..output.len()]
                } else {
                    second
                },
                output,
            });
        });
    }
}

struct CombineRows<'a> {
    it: &'a Pairs,
    first: &'a [f32],
    second: &'a [f32],
    output: &'a mut [f32],
}

impl Operation for CombineRows<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, _: S) {
        macro_rules! with {
            ($($name:ident)*) => {
                match (self.it.binary, self.it.swapped) {
                    $(
                        (Binary::$name, false) => self.each(|a, b| combine(Binary::$name, a, b)),
                        (Binary::$name, true) => self.each(|a, b| combine(Binary::$name, b, a)),
                    )*
                }
            };
        }
        with!(Add Sub Mul Div Pow Min Max Equal);
    }
}

impl CombineRows<'_> {
    #[inline(always)]
    fn each(self, f: impl Fn(f32, f32) -> f32) {
        match self.it.second {
            Second::Same => {
                for ((output, a), b) in self.output.iter_mut().zip(self.first).zip(self.second) {
                    *output = f(*a, *b);
                }
            }
            Second::Scalar => {
                let b = self.second[0];
                for (output, a) in self.output.iter_mut().zip(self.first) {
                    *output = f(*a, b);
                }
            }
            Second::Row(len) => {
                let row = self.it.row;
                let second = &self.second[..len];
                for (output, first) in self
                    .output
                    .chunks_exact_mut(row)
                    .zip(self.first.chunks_exact(row))
                {
                    for ((output, a), b) in output[..len].iter_mut().zip(&first[..len]).zip(second)
                    {
                        *output = f(*a, *b);
                    }
                }
            }
        }
    }
}

impl Planner<'_> {
    pub(super) fn lower_unary(&mut self, node: &Node, unary: Unary) -> Result<bool, BuildError> {
        let input = node.inputs[0];
        let layout = if self.is_map(input) {
            Layout::Map
        } else {
            Layout::Rows
        };
        let len = match (layout, self.map_shape(input)?) {
            (Layout::Map, Some(shape)) => shape.buffer_len(),
            _ => self.elements(input)?,
        };
        let kernel = Each {
            token: self.token,
            unary,
            len,
        };
        let source = self.source(input, layout)?;
        self.push(node, Box::new(kernel), vec![source], layout)?;
        Ok(true)
    }

    pub(super) fn lower_binary(&mut self, node: &Node, binary: Binary) -> Result<bool, BuildError> {
        let [a, b] = [node.inputs[0], node.inputs[1]];
        // The operand of the output's shape comes first.
        let whole = |value: ValueId| self.shape(value) == self.shape(node.output);
        let (first, second, swapped) = if whole(a) && !(whole(b) && self.constant(a).is_some()) {
            (a, b, false)
        } else if whole(b) {
            (b, a, true)
        } else {
            return Ok(false);
        };
        if self.constant(first).is_some() {
            return Ok(false);
        }
        let same = whole(second);
        let as_map =
            self.is_map(first) || (same && self.constant(second).is_none() && self.is_map(second));
        let shape = self.map_shape(first)?;
        let (layout, row, rows, how) = match shape.filter(|_| as_map) {
            Some(shape) => {
                let channels = shape.channels();
                let how = if same && self.constant(second).is_none() {
                    Second::Same
                } else {
                    match self.repeats(second, 3, channels) {
                        Some(how) => how,
                        None => return Ok(false),
                    }
                };
                (Layout::Map, shape.channel_stride(), shape.pixels(), how)
            }
            None => {
                let elements = self.elements(first)?;
                let last = self.shape(first).last().copied().unwrap_or(1);
                let how = if same {
                    Second::Same
                } else {
                    match self.repeats(second, 1, last) {
                        Some(how) => how,
                        None => return Ok(false),
                    }
                };
                (Layout::Rows, last, elements / last, how)
            }
        };
        // Without rows of their own, all elements are shared among the threads.
        let (row, rows) = match (how, layout) {
            (Second::Same | Second::Scalar, Layout::Map) => {
                (CHANNEL_ALIGN, row * rows / CHANNEL_ALIGN)
            }
            _ => (row, rows),
        };
        let kernel = Pairs {
            token: self.token,
            binary,
            swapped,
            second: how,
            row,
            rows,
        };
        let second_layout = if how == Second::Same {
            layout
        } else {
            Layout::Rows
        };
        let sources = vec![
            self.source(first, layout)?,
            self.source(second, second_layout)?,
        ];
        self.push(node, Box::new(kernel), sources, layout)?;
        Ok(true)
    }

    /// How a smaller operand repeats: it has one element, or `len` along the axis that is `from_end` from the end.
    fn repeats(&self, value: ValueId, from_end: usize, len: usize) -> Option<Second> {
        let shape = self.shape(value);
        let elements: usize = shape.iter().product();
        if elements == 1 {
            return Some(Second::Scalar);
        }
        let axis = shape.len().checked_sub(from_end)?;
        (elements == len && shape[axis] == len).then_some(Second::Row(len))
    }
}
