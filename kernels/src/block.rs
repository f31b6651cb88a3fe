//! An inverted-residual (MBConv) block: expand, depthwise, squeeze-and-excitation, project, and the residual, as one
//! operation.

mod banded;
mod config;
mod depthwise;
mod expand;
mod layers;
mod plan;
mod ring;
mod scaled;
mod squeeze_excite;
mod variant;
mod whole_map;

pub use config::BlockConfig;
pub(crate) use config::DepthwiseConfig;
pub(crate) use variant::{Activations, BlockVariant, SqueezeExciteWeights};

use expand::Input;
use layers::Layers;

use crate::isa::Token;
use crate::scratch::{Scratch, ScratchLen};
use crate::team::ThreadTeam;
use crate::{BlockWeights, BuildError, Isa, Stem};

/// One block, its weights packed for one instruction set.
///
/// Expanded channels are never stored for the whole map. They are computed in groups: for a small map, one group over
/// all rows; for a large one, a band of rows over all groups, in rings that keep the rows which the next band needs.
/// The depthwise result of the map or of the band then feeds `project_conv`. Squeeze-and-excitation needs the result of the
/// whole map first, and keeps it.
#[derive(Debug)]
pub struct Block {
    layers: Layers,
}

impl Block {
    /// Packs the weights of a block with ReLU6 after its first two convolutions.
    ///
    /// # Errors
    /// [`BuildError::IsaUnavailable`] if the machine lacks the instruction set; [`BuildError::Length`] if weights and
    /// shape disagree.
    pub fn new(
        isa: Isa,
        config: BlockConfig,
        weights: &BlockWeights<'_>,
    ) -> Result<Self, BuildError> {
        Self::with(isa.token()?, config, weights, &BlockVariant::RELU6)
    }

    /// Packs the weights of a block with what `variant` has besides.
    ///
    /// # Errors
    /// [`BuildError::Length`] if weights and shape disagree; [`BuildError::Unsupported`] if the instruction set computes in
    /// bf16 and something needs f32.
    pub(crate) fn with(
        token: Token,
        config: BlockConfig,
        weights: &BlockWeights<'_>,
        variant: &BlockVariant<'_>,
    ) -> Result<Self, BuildError> {
        let layers = Layers::new(token, config, weights, variant)?;
        Ok(Self { layers })
    }

    /// The shape it was built with.
    #[must_use]
    pub fn config(&self) -> &BlockConfig {
        &self.layers.config
    }

    /// Scratch to run the block with.
    #[must_use]
    pub fn scratch(&self) -> Scratch {
        Scratch::new(self.scratch_len())
    }

    pub(crate) fn scratch_len(&self) -> ScratchLen {
        self.layers.scratch_len()
    }

    pub(crate) fn helper_scratch_len(&self) -> ScratchLen {
        self.layers.plan.helper_scratch_len()
    }

    /// Runs the block on this thread: `input` and `output` are maps of `config().input()` and `config().output()`.
    ///
    /// # Panics
    /// If a map is shorter than its shape says, or `scratch` was made for smaller blocks.
    pub fn run(&self, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        self.run_on(&mut ThreadTeam::solo(), input, output, scratch);
    }

    /// Runs the block on a team; `scratch` is that of the calling thread. The result is the same to the last bit.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on(
        &self,
        team: &mut ThreadTeam,
        input: &[f32],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        self.run_from(team, Input::Map(input), output, scratch);
    }

    /// Whether [`run_with_stem_on`](Self::run_with_stem_on) can run the block: where it neither expands nor adds its
    /// input, and is narrow enough for one group.
    #[must_use]
    pub fn can_run_with_stem(&self) -> bool {
        let layers = &self.layers;
        layers.expand_conv.is_none()
            && !layers.config.has_residual()
            && layers.depthwise_conv.groups() == 1
    }

    /// Whether a block of this shape [`can_run_with_stem`](Self::can_run_with_stem).
    pub(crate) fn fits_stem(token: Token, config: &BlockConfig) -> bool {
        config.expanded_channels().is_none()
            && !config.has_residual()
            && layers::groups_without_expansion(token, config) == 1
    }

    /// Runs `stem` and the block as one, so that the network's largest map is never stored: the stem's rows take the
    /// place of expanded ones. `padded` is the image as [`Stem::run`] takes it.
    ///
    /// # Panics
    /// As [`run_on`](Self::run_on), or if the block is not one that [`can_run_with_stem`](Self::can_run_with_stem), or
    /// reads another map than the stem writes.
    pub fn run_with_stem_on(
        &self,
        team: &mut ThreadTeam,
        stem: &Stem,
        padded: &[f32],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        assert!(
            self.can_run_with_stem(),
            "a block that can follow the stem directly"
        );
        assert_eq!(
            self.layers.config.input(),
            stem.output(),
            "the map that the stem writes"
        );
        self.run_from(team, Input::Image { stem, padded }, output, scratch);
    }

    fn run_from(
        &self,
        team: &mut ThreadTeam,
        input: Input<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let layers = &self.layers;
        let output = &mut output[..layers.config.output().buffer_len()];
        if layers.plan.is_whole_map {
            return whole_map::run(layers, team, input, output, scratch);
        }
        match &layers.squeeze_excite {
            Some(it) => scaled::run(layers, it, team, input, output, scratch),
            None => banded::run(layers, team, input, output, scratch),
        }
    }
}
