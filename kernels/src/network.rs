//! The whole network, layer after layer in one workspace.

use crate::{Architecture, Block, BuildError, Head, Kernel, NetworkWeights, Stem, Team, Workspace};

/// An EfficientNet-Lite, its weights packed for one kernel. Immutable: any number of workspaces may run it at once.
#[derive(Debug)]
pub struct Network {
    pub(crate) stem: Stem,
    pub(crate) blocks: Vec<Block>,
    pub(crate) head: Head,
    kernel: Kernel,
}

impl Network {
    /// Packs the weights.
    ///
    /// # Errors
    /// If the machine lacks the kernel's instructions, or weights and architecture disagree.
    pub fn new(
        kernel: Kernel,
        architecture: &Architecture,
        weights: &NetworkWeights<'_>,
    ) -> Result<Self, BuildError> {
        architecture.check()?;
        let configs = architecture.blocks();
        if configs.len() != weights.blocks.len() {
            return Err(BuildError::Blocks {
                expected: configs.len(),
                found: weights.blocks.len(),
            });
        }
        let last = configs
            .last()
            .map_or(architecture.stem_output(), crate::BlockConfig::output);
        let stem = Stem::new(
            kernel,
            architecture.height,
            architecture.width,
            weights.conv_stem,
        )?;
        if stem.output() != architecture.stem_output() {
            let (expected, found) = (architecture.stem_channels, stem.output().channels);
            return Err(BuildError::Length {
                layer: "conv_stem",
                expected,
                found,
            });
        }
        let blocks = configs
            .into_iter()
            .zip(&weights.blocks)
            .map(|(config, weights)| Block::new(kernel, config, weights));
        let blocks = blocks.collect::<Result<_, _>>()?;
        let head = Head::new(kernel, last, weights.conv_head, weights.fc)?;
        Ok(Self {
            stem,
            blocks,
            head,
            kernel,
        })
    }

    /// The kernel it was packed for.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The first layer, which knows how a picture is padded.
    #[must_use]
    pub fn stem(&self) -> &Stem {
        &self.stem
    }

    /// The last layers.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Runs the picture in `workspace` on this thread and returns its logits `[classes]`. Allocates nothing.
    ///
    /// # Panics
    /// If the workspace was made for another network.
    pub fn run<'a>(&self, workspace: &'a mut Workspace) -> &'a [f32] {
        self.run_on(&mut Team::solo(), workspace)
    }

    /// As [`run`](Self::run), on a team: for a picture that is alone. Two pictures on two threads are faster than one
    /// after the other on a team of two.
    ///
    /// # Panics
    /// As [`run`](Self::run), or if the workspace was made for fewer threads.
    pub fn run_on<'a>(&self, team: &mut Team, workspace: &'a mut Workspace) -> &'a [f32] {
        let Workspace {
            picture,
            maps: [map, next],
            scratch,
            head,
        } = workspace;
        let (mut map, mut next) = (map, next);
        let mut blocks = self.blocks.as_slice();
        match blocks.split_first() {
            Some((first, rest)) if first.can_run_with_stem() => {
                first.run_with_stem_on(team, &self.stem, picture, map, scratch);
                blocks = rest;
            }
            _ => self.stem.run_on(team, picture, map),
        }
        for block in blocks {
            block.run_on(team, map, next, scratch);
            std::mem::swap(&mut map, &mut next);
        }
        self.head.run_on(team, map, head);
        self.head.logits(head)
    }
}
