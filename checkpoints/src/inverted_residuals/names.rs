//! Names of the layers, as timm or torchvision gives them.

use crate::Naming;
use crate::layers::ConvNorm;

/// How torchvision numbers the blocks of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// `features.STAGE.BLOCK.block`: EfficientNet.
    Stages,
    /// `features.BLOCK.block`: MobileNetV3.
    Blocks,
    /// `features.BLOCK.conv`: MobileNetV2, whose last convolution is not a pair with its normalisation.
    FlatBlocks,
}

/// The names of a network.
pub(super) struct Names {
    pub(super) naming: Naming,
    pub(super) numbering: Numbering,
}

/// The names of a block.
pub(super) struct BlockNames {
    pub(super) expand: Option<ConvNorm>,
    pub(super) depthwise: ConvNorm,
    pub(super) squeeze_excite: [String; 2],
    pub(super) project: ConvNorm,
}

/// The names of a head.
pub(super) struct HeadNames {
    pub(super) conv: ConvNorm,
    pub(super) hidden: &'static str,
    /// What follows `[outputs, inputs]` in the shape of `hidden`'s weight.
    pub(super) hidden_tail: &'static [usize],
    pub(super) classifier: &'static str,
}

pub(super) fn stem(naming: Naming) -> ConvNorm {
    if naming == Naming::Torchvision {
        numbered_pair("features.0")
    } else {
        ["conv_stem", "bn1"].map(str::to_owned)
    }
}

/// A convolution and its normalisation in one module.
fn numbered_pair(prefix: &str) -> ConvNorm {
    [format!("{prefix}.0"), format!("{prefix}.1")]
}

impl Names {
    /// `position` is the stage, the block in it, and the block in the network.
    pub(super) fn block(
        &self,
        [stage, in_stage, in_network]: [usize; 3],
        expands: bool,
        has_squeeze_excite: bool,
    ) -> BlockNames {
        if self.naming != Naming::Torchvision {
            return timm(&format!("blocks.{stage}.{in_stage}"), expands);
        }
        let prefix = match self.numbering {
            Numbering::Stages => format!("features.{}.{in_stage}.block", stage + 1),
            Numbering::Blocks => format!("features.{}.block", in_network + 1),
            Numbering::FlatBlocks => format!("features.{}.conv", in_network + 1),
        };
        self.torchvision(&prefix, expands, has_squeeze_excite)
    }

    fn torchvision(&self, prefix: &str, expands: bool, has_squeeze_excite: bool) -> BlockNames {
        let depthwise = usize::from(expands);
        let squeeze_excite = depthwise + 1;
        let project = squeeze_excite + usize::from(has_squeeze_excite);
        BlockNames {
            expand: expands.then(|| numbered_pair(&format!("{prefix}.0"))),
            depthwise: numbered_pair(&format!("{prefix}.{depthwise}")),
            squeeze_excite: ["fc1", "fc2"].map(|it| format!("{prefix}.{squeeze_excite}.{it}")),
            project: if self.numbering == Numbering::FlatBlocks {
                [project, project + 1].map(|it| format!("{prefix}.{it}"))
            } else {
                numbered_pair(&format!("{prefix}.{project}"))
            },
        }
    }

    /// `groups` are the stages and the blocks of the network.
    pub(super) fn head(&self, [stages, blocks]: [usize; 2], has_hidden: bool) -> HeadNames {
        if self.naming == Naming::Torchvision {
            let before = match self.numbering {
                Numbering::Stages => stages,
                Numbering::Blocks | Numbering::FlatBlocks => blocks,
            };
            return HeadNames {
                conv: numbered_pair(&format!("features.{}", before + 1)),
                hidden: "classifier.0",
                hidden_tail: &[],
                classifier: if has_hidden {
                    "classifier.3"
                } else {
                    "classifier.1"
                },
            };
        }
        HeadNames {
            conv: if has_hidden {
                ["conv", "bn1"].map(|it| format!("blocks.{stages}.0.{it}"))
            } else {
                ["conv_head", "bn2"].map(str::to_owned)
            },
            // A 1 x 1 convolution after pooling.
            hidden: "conv_head",
            hidden_tail: &[1, 1],
            classifier: "classifier",
        }
    }
}

fn timm(prefix: &str, expands: bool) -> BlockNames {
    let pair = |conv, norm| [format!("{prefix}.{conv}"), format!("{prefix}.{norm}")];
    let squeeze_excite = ["reduce", "expand"].map(|it| format!("{prefix}.se.conv_{it}"));
    if expands {
        BlockNames {
            expand: Some(pair("conv_pw", "bn1")),
            depthwise: pair("conv_dw", "bn2"),
            squeeze_excite,
            project: pair("conv_pwl", "bn3"),
        }
    } else {
        BlockNames {
            expand: None,
            depthwise: pair("conv_dw", "bn1"),
            squeeze_excite,
            project: pair("conv_pw", "bn2"),
        }
    }
}
