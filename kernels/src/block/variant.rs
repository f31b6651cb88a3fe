//! What blocks of other families than EfficientNet-Lite have besides their convolutions.

use crate::FoldedConv;
use crate::activation::Activation;
use crate::graph::Unary;

/// What follows the convolutions of a block, and what comes between them.
#[derive(Clone, Debug)]
pub(crate) struct BlockVariant<'a> {
    pub(crate) activations: Activations,
    pub(crate) squeeze_excite: Option<SqueezeExciteWeights<'a>>,
}

/// What is applied to the output of each convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activations {
    pub(crate) expand: Activation,
    pub(crate) depthwise: Activation,
    /// After the residual.
    pub(crate) project: Activation,
}

/// Factors for the channels of the depthwise result, computed from their means by two layers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SqueezeExciteWeights<'a> {
    /// `[reduced, channels]`
    pub(crate) reduce: FoldedConv<'a>,
    pub(crate) reduce_activation: Option<Unary>,
    /// `[channels, reduced]`
    pub(crate) excite: FoldedConv<'a>,
    pub(crate) excite_activation: Option<Unary>,
}

impl BlockVariant<'_> {
    /// ReLU6 after all convolutions but the last, and nothing else.
    pub(crate) const RELU6: Self = Self {
        activations: Activations {
            expand: Activation::RELU6,
            depthwise: Activation::RELU6,
            project: Activation::NONE,
        },
        squeeze_excite: None,
    };
}
