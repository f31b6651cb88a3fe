//! MobileNetV3: every block is listed, as in the paper.

use imageclassifier_kernels::Unary;

use super::{Block, InvertedResiduals, Numbering, SqueezeExcite, rounded_to_8};

/// Small or large.
pub(crate) struct Variant {
    stages: &'static [&'static [Row]],
    head_channels: usize,
    hidden_channels: usize,
}

struct Row {
    kernel: usize,
    expanded_channels: usize,
    channels: usize,
    has_squeeze_excite: bool,
    activation: Unary,
    stride: usize,
}

const RE: Unary = Unary::RELU;
const HS: Unary = Unary::HardSwish;
const SE: bool = true;
const NO: bool = false;

const fn row(
    kernel: usize,
    expanded_channels: usize,
    channels: usize,
    has_squeeze_excite: bool,
    activation: Unary,
    stride: usize,
) -> Row {
    Row {
        kernel,
        expanded_channels,
        channels,
        has_squeeze_excite,
        activation,
        stride,
    }
}

pub(crate) const SMALL: Variant = Variant {
    stages: &[
        &[row(3, 16, 16, SE, RE, 2)],
        &[row(3, 72, 24, NO, RE, 2), row(3, 88, 24, NO, RE, 1)],
        &[
            row(5, 96, 40, SE, HS, 2),
            row(5, 240, 40, SE, HS, 1),
            row(5, 240, 40, SE, HS, 1),
        ],
        &[row(5, 120, 48, SE, HS, 1), row(5, 144, 48, SE, HS, 1)],
        &[
            row(5, 288, 96, SE, HS, 2),
            row(5, 576, 96, SE, HS, 1),
            row(5, 576, 96, SE, HS, 1),
        ],
    ],
    head_channels: 576,
    hidden_channels: 1024,
};

pub(crate) const LARGE: Variant = Variant {
    stages: &[
        &[row(3, 16, 16, NO, RE, 1)],
        &[row(3, 64, 24, NO, RE, 2), row(3, 72, 24, NO, RE, 1)],
        &[
            row(5, 72, 40, SE, RE, 2),
            row(5, 120, 40, SE, RE, 1),
            row(5, 120, 40, SE, RE, 1),
        ],
        &[
            row(3, 240, 80, NO, HS, 2),
            row(3, 200, 80, NO, HS, 1),
            row(3, 184, 80, NO, HS, 1),
            row(3, 184, 80, NO, HS, 1),
        ],
        &[row(3, 480, 112, SE, HS, 1), row(3, 672, 112, SE, HS, 1)],
        &[
            row(5, 672, 160, SE, HS, 2),
            row(5, 960, 160, SE, HS, 1),
            row(5, 960, 160, SE, HS, 1),
        ],
    ],
    head_channels: 960,
    hidden_channels: 1280,
};

impl Variant {
    pub(crate) fn network(&self) -> InvertedResiduals {
        let stages = self.stages.iter();
        InvertedResiduals {
            stem_channels: 16,
            activation: HS,
            stages: stages
                .map(|rows| rows.iter().map(Row::block).collect())
                .collect(),
            head_channels: self.head_channels,
            hidden_channels: Some(self.hidden_channels),
            squeeze_excite: Some(SqueezeExcite {
                activation: RE,
                gate: Unary::HardSigmoid(1.0 / 6.0, 0.5),
            }),
            numbering: Numbering::Blocks,
        }
    }
}

impl Row {
    fn block(&self) -> Block {
        Block {
            kernel: self.kernel,
            stride: self.stride,
            expanded_channels: self.expanded_channels,
            channels: self.channels,
            squeezed_channels: self
                .has_squeeze_excite
                .then(|| rounded_to_8(self.expanded_channels, 4)),
            activation: self.activation,
        }
    }
}
