//! Weights as the reference implementation names and lays them out, batch normalisation folded in.

use crate::BuildError;

/// A convolution or a linear layer: weight in PyTorch's layout, row-major, and bias.
#[derive(Clone, Copy, Debug)]
pub struct FoldedConv<'a> {
    /// `[out, in / groups, kernel_height, kernel_width]`, or `[out, in]` for `fc`.
    pub weight: &'a [f32],
    /// `[out]`.
    pub bias: &'a [f32],
}

impl FoldedConv<'_> {
    /// Checks the number of elements of weight and bias.
    pub(crate) fn check(
        &self,
        layer: &'static str,
        weight: usize,
        bias: usize,
    ) -> Result<(), BuildError> {
        check_len(layer, weight, self.weight.len())?;
        check_len(layer, bias, self.bias.len())
    }

    /// Checks the number of outputs, which the bias tells.
    pub(crate) fn check_outputs(
        &self,
        layer: &'static str,
        outputs: usize,
    ) -> Result<(), BuildError> {
        check_len(layer, outputs, self.bias.len())
    }
}

fn check_len(layer: &'static str, expected: usize, found: usize) -> Result<(), BuildError> {
    if expected == found {
        return Ok(());
    }
    Err(BuildError::Length {
        layer,
        expected,
        found,
    })
}

/// The layers of one inverted-residual (MBConv) block.
#[derive(Clone, Copy, Debug)]
pub struct BlockWeights<'a> {
    /// `[expanded, in, 1, 1]`; absent where the block does not expand.
    pub expand_conv: Option<FoldedConv<'a>>,
    /// `[expanded, 1, kernel, kernel]`.
    pub depthwise_conv: FoldedConv<'a>,
    /// `[out, expanded, 1, 1]`.
    pub project_conv: FoldedConv<'a>,
}

/// The layers of the whole network.
#[derive(Clone, Debug)]
pub struct NetworkWeights<'a> {
    /// `[stem, 3, 3, 3]`.
    pub conv_stem: FoldedConv<'a>,
    /// In order.
    pub blocks: Vec<BlockWeights<'a>>,
    /// `[head, in, 1, 1]`.
    pub conv_head: FoldedConv<'a>,
    /// `[classes, head]`.
    pub fc: FoldedConv<'a>,
}
