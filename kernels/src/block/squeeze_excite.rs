//! Squeeze-and-excitation: each channel of the depthwise result is scaled by a factor that follows from all channels' means.

use super::variant::SqueezeExciteWeights;
use crate::BuildError;
use crate::activation::Activation;
use crate::isa::Token;
use crate::micro::AveragePool;
use crate::packed::{PackedMatrix, PanelWidths};
use crate::shape::checked_len;

/// The two layers, their weights packed.
#[derive(Debug)]
pub(super) struct SqueezeExcite {
    token: Token,
    reduce: PackedMatrix,
    reduce_activation: Activation,
    excite: PackedMatrix,
    excite_activation: Activation,
    /// Channels of the depthwise result, padded to whole groups.
    channels: usize,
}

impl SqueezeExcite {
    /// Packs the layers for a depthwise result of `channels`, which are padded to `padded`.
    ///
    /// # Errors
    /// [`BuildError::Length`] if the weights are not for so many channels; [`BuildError::Unsupported`] in bf16, whose packed
    /// pairs cannot be scaled.
    pub(super) fn new(
        token: Token,
        channels: usize,
        padded: usize,
        weights: &SqueezeExciteWeights<'_>,
    ) -> Result<Self, BuildError> {
        if token.pack_factor() != 1 {
            return Err(BuildError::Unsupported("squeeze-and-excitation in bf16"));
        }
        let (reduce, excite) = (weights.reduce, weights.excite);
        let reduced = reduce.bias.len();
        let len = checked_len([reduced, channels])?;
        reduce.check("reduce", len, reduced)?;
        excite.check("excite", len, channels)?;
        let pack = |bias: &[f32], depth: usize, weight: &[f32]| {
            PackedMatrix::new(token, bias, depth, PanelWidths::Widest, |o, k| {
                weight[o * depth + k]
            })
        };
        Ok(Self {
            token,
            reduce: pack(reduce.bias, channels, reduce.weight)?,
            reduce_activation: Activation::new(weights.reduce_activation),
            excite: pack(excite.bias, reduced, excite.weight)?,
            excite_activation: Activation::new(weights.excite_activation),
            channels: padded,
        })
    }

    /// Elements that [`factors`](Self::factors) needs besides the means.
    pub(super) fn scratch_len(&self) -> usize {
        self.channels + self.reduce.outputs() + self.factors_len()
    }

    /// Padded to whole groups, and to whole vectors of the layer.
    fn factors_len(&self) -> usize {
        self.channels.max(self.excite.outputs())
    }

    /// The factor of each channel, from `means`, `[parts, channels]`: the means of parts of the map that are equally large.
    pub(super) fn factors<'a>(&self, means: &[f32], scratch: &'a mut [f32]) -> &'a [f32] {
        let (mean, rest) = scratch.split_at_mut(self.channels);
        let (reduced, rest) = rest.split_at_mut(self.reduce.outputs());
        let factors = &mut rest[..self.factors_len()];
        self.token.run(AveragePool {
            input: means,
            output: mean,
        });
        let all = |matrix: &PackedMatrix| 0..matrix.panels().len();
        self.reduce
            .multiply_vector(all(&self.reduce), mean, reduced);
        self.reduce_activation.apply(self.token, reduced);
        // What the layer does not write belongs to channels that are padding.
        factors.fill(0.0);
        self.excite
            .multiply_vector(all(&self.excite), reduced, factors);
        self.excite_activation.apply(self.token, factors);
        &factors[..self.channels]
    }
}
