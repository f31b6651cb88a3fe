//! What follows a layer, known at run time: limits inside the kernels, everything else in a pass over what was just written.
//!
//! Limits cost nothing there, and other functions are far longer than the load and store of the pass. So no kernel is
//! compiled once for each function.

use fearless_simd::prelude::SimdBase;

use crate::graph::{Unary, apply};
use crate::isa::Token;
use crate::micro::{Operand, Operation, RELU6, Tiles, sigmoid};

/// What is applied to a layer's output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activation {
    /// In the kernel itself.
    pub(crate) clamp: Option<[f32; 2]>,
    /// In a pass over what was just written.
    pub(crate) after: Option<Unary>,
}

impl Activation {
    pub(crate) const NONE: Self = Self {
        clamp: None,
        after: None,
    };
    pub(crate) const RELU6: Self = Self {
        clamp: Some(RELU6),
        after: None,
    };

    pub(crate) fn new(unary: Option<Unary>) -> Self {
        match unary {
            Some(Unary::Clamp(low, high)) => Self {
                clamp: Some([low, high]),
                after: None,
            },
            after => Self { clamp: None, after },
        }
    }

    /// The limits, for kernels that always have some.
    pub(crate) fn limits(self) -> [f32; 2] {
        self.clamp.unwrap_or([f32::NEG_INFINITY, f32::INFINITY])
    }

    /// Applies what is left for after the kernel.
    pub(crate) fn finish(self, token: Token, values: &mut [f32]) {
        let len = values.len();
        self.finish_lines(token, values, len, len);
    }

    /// As [`finish`](Self::finish), to lines of `len` elements whose beginnings are `stride` apart.
    pub(crate) fn finish_lines(self, token: Token, values: &mut [f32], len: usize, stride: usize) {
        if let Some(unary) = self.after {
            token.run(Apply {
                unary,
                values,
                len,
                stride,
            });
        }
    }

    /// Applies all of it.
    pub(crate) fn apply(self, token: Token, values: &mut [f32]) {
        if let Some([low, high]) = self.clamp {
            apply(Unary::Clamp(low, high), values);
        }
        self.finish(token, values);
    }
}

/// An operation on each element of some lines.
pub(crate) struct Apply<'a> {
    unary: Unary,
    values: &'a mut [f32],
    len: usize,
    stride: usize,
}

impl<'a> Apply<'a> {
    /// On every element.
    pub(crate) fn new(unary: Unary, values: &'a mut [f32]) -> Self {
        let len = values.len();
        Self {
            unary,
            values,
            len,
            stride: len,
        }
    }
}

impl Operation for Apply<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, simd: S) {
        let vector = |x: S::f32s| match self.unary {
            Unary::Silu => x * sigmoid(simd, x),
            _ => sigmoid(simd, x),
        };
        for line in self.values.chunks_mut(self.stride.max(1)) {
            let len = self.len.min(line.len());
            let mut rest = &mut line[..len];
            // What the compiler vectorises takes half as long again: it fuses no multiply-adds.
            if matches!(self.unary, Unary::Silu | Unary::Sigmoid) {
                let mut vectors = rest.chunks_exact_mut(S::LANES);
                for values in &mut vectors {
                    vector(S::f32s::from_slice(simd, values)).store_slice(values);
                }
                rest = vectors.into_remainder();
            }
            apply(self.unary, rest);
        }
    }
}
