//! Random values that are the same on every machine.

use imageclassifier_kernels::{
    Architecture, BlockConfig, BlockWeights, FoldedConv, NetworkWeights,
};

/// A xorshift generator: good enough to fill weights with.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Evenly from -1 to 1.
    pub(crate) fn value(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bits = u16::try_from(self.0 >> 48).expect("sixteen bits");
        f32::from(bits) / 32768.0 - 1.0
    }

    /// Evenly from `-scale` to `scale`.
    pub(crate) fn values(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len).map(|_| self.value() * scale).collect()
    }

    /// A layer whose outputs stay about as large as its inputs.
    pub(crate) fn conv(&mut self, outputs: usize, depth: usize) -> Conv {
        #[allow(clippy::cast_precision_loss)]
        let scale = (3.0 / depth as f32).sqrt();
        Conv {
            weight: self.values(outputs * depth, scale),
            bias: self.values(outputs, 0.5),
        }
    }
}

/// An owned layer.
pub(crate) struct Conv {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl Conv {
    pub(crate) fn folded(&self) -> FoldedConv<'_> {
        FoldedConv {
            weight: &self.weight,
            bias: &self.bias,
        }
    }
}

/// The layers of a block.
pub(crate) struct RandomBlock {
    pub(crate) expand_conv: Option<Conv>,
    pub(crate) depthwise_conv: Conv,
    pub(crate) project_conv: Conv,
}

impl RandomBlock {
    pub(crate) fn new(random: &mut Random, config: &BlockConfig) -> Self {
        let channels = config.depthwise_channels();
        Self {
            expand_conv: config
                .expanded_channels()
                .map(|_| random.conv(channels, config.input().channels())),
            depthwise_conv: random.conv(channels, config.kernel_size() * config.kernel_size()),
            project_conv: random.conv(config.output().channels(), channels),
        }
    }

    pub(crate) fn weights(&self) -> BlockWeights<'_> {
        BlockWeights {
            expand_conv: self.expand_conv.as_ref().map(Conv::folded),
            depthwise_conv: self.depthwise_conv.folded(),
            project_conv: self.project_conv.folded(),
        }
    }
}

/// The layers of a network.
pub(crate) struct RandomNetwork {
    pub(crate) conv_stem: Conv,
    pub(crate) blocks: Vec<RandomBlock>,
    pub(crate) conv_head: Conv,
    pub(crate) fc: Conv,
}

impl RandomNetwork {
    pub(crate) fn new(random: &mut Random, architecture: &Architecture) -> Self {
        let last = architecture.last_map().channels();
        Self {
            conv_stem: random.conv(architecture.stem_output().channels(), 27),
            blocks: architecture
                .blocks()
                .iter()
                .map(|config| RandomBlock::new(random, config))
                .collect(),
            conv_head: random.conv(architecture.head_channels(), last),
            fc: random.conv(architecture.classes(), architecture.head_channels()),
        }
    }

    pub(crate) fn weights(&self) -> NetworkWeights<'_> {
        NetworkWeights {
            conv_stem: self.conv_stem.folded(),
            blocks: self.blocks.iter().map(RandomBlock::weights).collect(),
            conv_head: self.conv_head.folded(),
            fc: self.fc.folded(),
        }
    }
}
