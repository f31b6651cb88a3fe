//! The whole network, layer after layer in one workspace.

use crate::buffer::Buffer;
use crate::scratch::{Scratch, ScratchLen};
use crate::{
    Architecture, Block, BuildError, Head, HeadBuffers, Isa, NetworkWeights, Stem, ThreadTeam,
    Workspace,
};

/// A network of a stem, inverted-residual blocks and a head, its weights packed for one instruction set. Immutable: any
/// number of workspaces may run it at once.
#[derive(Debug)]
pub struct Network {
    stem: Stem,
    blocks: Vec<Block>,
    head: Head,
    isa: Isa,
}

impl Network {
    /// Packs the weights.
    ///
    /// # Errors
    /// [`BuildError::IsaUnavailable`] if the machine lacks the instruction set; [`BuildError::Length`] or
    /// [`BuildError::Blocks`] if weights and architecture disagree.
    pub fn new(
        isa: Isa,
        architecture: &Architecture,
        weights: &NetworkWeights<'_>,
    ) -> Result<Self, BuildError> {
        let configs = architecture.blocks();
        if configs.len() != weights.blocks.len() {
            return Err(BuildError::Blocks {
                expected: configs.len(),
                found: weights.blocks.len(),
            });
        }
        for (layer, conv, expected) in [
            (
                "conv_stem",
                weights.conv_stem,
                architecture.stem_output().channels(),
            ),
            ("conv_head", weights.conv_head, architecture.head_channels()),
            ("fc", weights.fc, architecture.classes()),
        ] {
            conv.check_outputs(layer, expected)?;
        }
        let image = architecture.input();
        let blocks = configs
            .iter()
            .zip(&weights.blocks)
            .map(|(config, weights)| Block::new(isa, *config, weights));
        Ok(Self {
            stem: Stem::new(isa, image.height(), image.width(), weights.conv_stem)?,
            blocks: blocks.collect::<Result<_, _>>()?,
            head: Head::new(isa, architecture.last_map(), weights.conv_head, weights.fc)?,
            isa,
        })
    }

    /// The instruction set it was packed for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The first layer, which knows how an image is padded.
    #[must_use]
    pub fn stem(&self) -> &Stem {
        &self.stem
    }

    /// The last layers.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Buffers for one thread to run the network in.
    #[must_use]
    pub fn workspace(&self) -> Workspace {
        let maps = self
            .blocks
            .iter()
            .map(|block| block.config().output().buffer_len());
        let largest = maps.fold(self.stem.output().buffer_len(), usize::max);
        let scratch = self.largest_scratch(Block::scratch_len);
        Workspace {
            image: Buffer::zeroed(self.stem.padded_len()),
            maps: [Buffer::zeroed(largest), Buffer::zeroed(largest)],
            scratch: Scratch::new(scratch),
            head: HeadBuffers::new(&self.head),
        }
    }

    fn largest_scratch(&self, len: impl Fn(&Block) -> ScratchLen) -> ScratchLen {
        let lengths = self.blocks.iter().map(len);
        lengths.fold(ScratchLen::default(), ScratchLen::max)
    }

    /// Runs the image in `workspace` on this thread and returns its logits `[classes]`. Allocates nothing.
    ///
    /// # Panics
    /// If the workspace was made for another network.
    pub fn run<'a>(&self, workspace: &'a mut Workspace) -> &'a [f32] {
        self.run_on(&mut ThreadTeam::solo(), workspace)
    }

    /// As [`run`](Self::run), on a team: for an image that is alone. Two images on two threads are faster than one
    /// after the other on a team of two. Allocates only in the team's first run of the network.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on<'a>(&self, team: &mut ThreadTeam, workspace: &'a mut Workspace) -> &'a [f32] {
        team.reserve_scratch(self.largest_scratch(Block::helper_scratch_len));
        let Workspace {
            image,
            maps: [map, next],
            scratch,
            head,
        } = workspace;
        let (mut map, mut next) = (map, next);
        let mut blocks = self.blocks.as_slice();
        match blocks.split_first() {
            Some((first, rest)) if first.can_run_with_stem() => {
                first.run_with_stem_on(team, &self.stem, image, map, scratch);
                blocks = rest;
            }
            _ => self.stem.run_on(team, image, map),
        }
        for block in blocks {
            block.run_on(team, map, next, scratch);
            std::mem::swap(&mut map, &mut next);
        }
        self.head.run_on(team, map, head);
        self.head.logits(head)
    }
}
