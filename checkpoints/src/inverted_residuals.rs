//! MobileNetV2, MobileNetV3 and EfficientNets: a stem, stages of inverted-residual blocks, and a head.

mod efficientnet;
pub(crate) mod mobilenet_v3;
mod names;

use imageclassifier_kernels::{GraphError, Unary, ValueId};

use crate::Naming;
use crate::layers::{ConvShape, Layers};
use names::{BlockNames, Names, Numbering};

/// A network of such blocks.
pub(crate) struct InvertedResiduals {
    stem_channels: usize,
    /// Of the stem and the head.
    activation: Unary,
    stages: Vec<Vec<Block>>,
    /// Of the 1 x 1 convolution before pooling.
    head_channels: usize,
    /// Of the linear layer between pooling and classifier.
    hidden_channels: Option<usize>,
    /// If its blocks have squeeze-and-excitation.
    squeeze_excite: Option<SqueezeExcite>,
    numbering: Numbering,
}

/// `1 x 1 -> depthwise -> [squeeze-and-excitation] -> 1 x 1 [+ input]`
struct Block {
    kernel: usize,
    stride: usize,
    /// Of the depthwise convolution; if they are those of the input, nothing expands.
    expanded_channels: usize,
    channels: usize,
    /// Of squeeze-and-excitation, if the network has it.
    squeezed_channels: Option<usize>,
    activation: Unary,
}

/// The functions after its two layers.
struct SqueezeExcite {
    activation: Unary,
    gate: Unary,
}

/// `numerator / denominator` channels, rounded to a multiple of 8 that is at least nine tenths of it.
fn rounded_to_8(numerator: usize, denominator: usize) -> usize {
    let rounded = ((numerator + 4 * denominator) / (8 * denominator) * 8).max(8);
    if rounded * denominator * 10 < numerator * 9 {
        rounded + 8
    } else {
        rounded
    }
}

const RELU6: Unary = Unary::Clamp(0.0, 6.0);

impl InvertedResiduals {
    /// Name of the first convolution.
    pub(crate) fn first_conv(naming: Naming) -> String {
        let [conv, _] = names::stem(naming);
        conv
    }

    /// Adds all layers and returns the logits.
    pub(crate) fn add_to(
        &self,
        layers: &mut Layers<'_>,
        naming: Naming,
    ) -> Result<ValueId, GraphError> {
        let names = Names {
            naming,
            numbering: self.numbering,
        };
        let mut x = layers.image();
        x = layers.conv_norm(
            &names::stem(naming),
            x,
            ConvShape::square(self.stem_channels, 3, 2),
        )?;
        x = layers.activate("stem", self.activation, x)?;
        let mut blocks_before = 0;
        for (stage, blocks) in self.stages.iter().enumerate() {
            for (i, block) in blocks.iter().enumerate() {
                let expands = block.expanded_channels != layers.channels(x);
                let has_squeeze_excite = block.squeezed_channels.is_some();
                let position = [stage, i, blocks_before + i];
                let names = names.block(position, expands, has_squeeze_excite);
                x = self.add_block(layers, &names, block, x)?;
            }
            blocks_before += blocks.len();
        }
        let groups = [self.stages.len(), blocks_before];
        self.add_head(layers, &names, groups, x)
    }

    fn add_block(
        &self,
        layers: &mut Layers<'_>,
        names: &BlockNames,
        block: &Block,
        input: ValueId,
    ) -> Result<ValueId, GraphError> {
        let mut x = input;
        if let Some(expand) = &names.expand {
            x = layers.conv_norm(expand, x, ConvShape::pointwise(block.expanded_channels))?;
            x = layers.activate(&expand[0], block.activation, x)?;
        }
        let depthwise = ConvShape {
            is_depthwise: true,
            ..ConvShape::square(block.expanded_channels, block.kernel, block.stride)
        };
        x = layers.conv_norm(&names.depthwise, x, depthwise)?;
        x = layers.activate(&names.depthwise[0], block.activation, x)?;
        if let (Some(channels), Some(functions)) = (block.squeezed_channels, &self.squeeze_excite) {
            x = functions.add_to(layers, &names.squeeze_excite, channels, x)?;
        }
        let has_residual = block.stride == 1 && layers.channels(input) == block.channels;
        x = layers.conv_norm(&names.project, x, ConvShape::pointwise(block.channels))?;
        if has_residual {
            x = layers.add(&names.project[0], x, input)?;
        }
        Ok(x)
    }

    fn add_head(
        &self,
        layers: &mut Layers<'_>,
        names: &Names,
        groups: [usize; 2],
        mut x: ValueId,
    ) -> Result<ValueId, GraphError> {
        let has_hidden = self.hidden_channels.is_some();
        let names = names.head(groups, has_hidden);
        x = layers.conv_norm(&names.conv, x, ConvShape::pointwise(self.head_channels))?;
        x = layers.activate(&names.conv[0], self.activation, x)?;
        x = layers.global_pool(x)?;
        if let Some(channels) = self.hidden_channels {
            x = layers.linear(names.hidden, x, channels, names.hidden_tail)?;
            x = layers.activate(names.hidden, self.activation, x)?;
        }
        layers.classifier(names.classifier, x)
    }
}

impl SqueezeExcite {
    fn add_to(
        &self,
        layers: &mut Layers<'_>,
        [reduce, expand]: &[String; 2],
        squeezed_channels: usize,
        input: ValueId,
    ) -> Result<ValueId, GraphError> {
        let channels = layers.channels(input);
        let mut x = layers.mean(reduce, input)?;
        x = layers.conv(reduce, x, ConvShape::pointwise(squeezed_channels))?;
        x = layers.activate(reduce, self.activation, x)?;
        x = layers.conv(expand, x, ConvShape::pointwise(channels))?;
        x = layers.activate(expand, self.gate, x)?;
        layers.scale(expand, input, x)
    }
}
