//! ResNets as torchvision has them: the 3 x 3 convolution of a block has the stride. timm names the layers as torchvision does.

use imageclassifier_kernels::{GraphError, Unary, ValueId};

use crate::Naming;
use crate::layers::{ConvNorm, ConvShape, Layers};

/// Blocks in each of the four stages.
pub(crate) struct ResNet {
    depths: [usize; 4],
    /// Whether blocks are 1 x 1, 3 x 3, 1 x 1 with four times the channels, or 3 x 3, 3 x 3.
    has_bottlenecks: bool,
}

/// Where a block is.
#[derive(Clone, Copy)]
struct Position {
    naming: Naming,
    stage: usize,
    block: usize,
}

const RELU: Unary = Unary::RELU;

impl ResNet {
    pub(crate) const fn basic(depths: [usize; 4]) -> Self {
        Self {
            depths,
            has_bottlenecks: false,
        }
    }

    pub(crate) const fn bottleneck(depths: [usize; 4]) -> Self {
        Self {
            depths,
            has_bottlenecks: true,
        }
    }

    /// Name of the first convolution.
    pub(crate) fn first_conv(naming: Naming) -> String {
        let [conv, _] = stem(naming);
        conv
    }

    /// Adds all layers and returns the logits.
    pub(crate) fn add_to(
        &self,
        layers: &mut Layers<'_>,
        naming: Naming,
    ) -> Result<ValueId, GraphError> {
        let mut x = layers.image();
        x = layers.conv_norm(&stem(naming), x, ConvShape::square(64, 7, 2))?;
        x = layers.activate("relu", RELU, x)?;
        x = layers.max_pool("maxpool", x)?;
        for (stage, depth) in self.depths.into_iter().enumerate() {
            for block in 0..depth {
                let position = Position {
                    naming,
                    stage,
                    block,
                };
                x = self.add_block(layers, position, x)?;
            }
        }
        x = layers.global_pool(x)?;
        let classifier = if naming == Naming::Transformers {
            "classifier.1"
        } else {
            "fc"
        };
        layers.classifier(classifier, x)
    }

    fn add_block(
        &self,
        layers: &mut Layers<'_>,
        position: Position,
        input: ValueId,
    ) -> Result<ValueId, GraphError> {
        let channels = 64 << position.stage;
        let stride = if position.block == 0 && position.stage > 0 {
            2
        } else {
            1
        };
        let (convs, output) = if self.has_bottlenecks {
            let output = channels * 4;
            let convs = vec![
                ConvShape::pointwise(channels),
                ConvShape::square(channels, 3, stride),
                ConvShape::pointwise(output),
            ];
            (convs, output)
        } else {
            let convs = vec![
                ConvShape::square(channels, 3, stride),
                ConvShape::square(channels, 3, 1),
            ];
            (convs, channels)
        };
        let mut x = input;
        for (i, conv) in convs.into_iter().enumerate() {
            if i > 0 {
                x = layers.activate(&position.name(), RELU, x)?;
            }
            x = layers.conv_norm(&position.conv(i), x, conv)?;
        }
        let mut shortcut = input;
        if stride != 1 || layers.channels(input) != output {
            let conv = ConvShape::square(output, 1, stride);
            shortcut = layers.conv_norm(&position.shortcut(), input, conv)?;
        }
        x = layers.add(&position.name(), x, shortcut)?;
        layers.activate(&position.name(), RELU, x)
    }
}

fn stem(naming: Naming) -> ConvNorm {
    if naming == Naming::Transformers {
        transformers("resnet.embedder.embedder")
    } else {
        ["conv1", "bn1"].map(str::to_owned)
    }
}

fn transformers(prefix: &str) -> ConvNorm {
    ["convolution", "normalization"].map(|it| format!("{prefix}.{it}"))
}

impl Position {
    fn name(self) -> String {
        let Self { stage, block, .. } = self;
        if self.naming == Naming::Transformers {
            format!("resnet.encoder.stages.{stage}.layers.{block}")
        } else {
            format!("layer{}.{block}", stage + 1)
        }
    }

    fn conv(self, index: usize) -> ConvNorm {
        let name = self.name();
        if self.naming == Naming::Transformers {
            transformers(&format!("{name}.layer.{index}"))
        } else {
            ["conv", "bn"].map(|it| format!("{name}.{it}{}", index + 1))
        }
    }

    fn shortcut(self) -> ConvNorm {
        let name = self.name();
        if self.naming == Naming::Transformers {
            transformers(&format!("{name}.shortcut"))
        } else {
            ["0", "1"].map(|it| format!("{name}.downsample.{it}"))
        }
    }
}
