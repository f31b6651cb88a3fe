//! Operations without a kernel of their own, in the reference loops on row-major values.

use super::kernel::{Kernel, KernelKind};
use crate::ThreadTeam;
use crate::graph::{Op, Operand, evaluate_into};
use crate::scratch::Scratch;

#[derive(Debug)]
pub(super) struct Reference {
    pub(super) op: Op,
    pub(super) input_shapes: Vec<Vec<usize>>,
    pub(super) output_shape: Vec<usize>,
}

impl Kernel for Reference {
    fn name(&self) -> &'static str {
        match self.op {
            // Copies: nothing to compute.
            Op::Transpose(_)
            | Op::Concat { .. }
            | Op::Slice(_)
            | Op::Pad { .. }
            | Op::Gather { .. }
            | Op::Expand(_) => "copy",
            _ => "reference",
        }
    }

    fn kind(&self) -> KernelKind {
        KernelKind::Reference
    }

    fn run(&self, _: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let operands: Vec<_> = self
            .input_shapes
            .iter()
            .zip(inputs)
            .map(|(shape, data)| Operand {
                shape,
                data: &data[..shape.iter().product()],
            })
            .collect();
        let len = self.output_shape.iter().product();
        evaluate_into(&self.op, &operands, &self.output_shape, &mut output[..len]);
    }
}
