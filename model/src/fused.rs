use burn::{
    Tensor,
    nn::{Linear, conv::Conv2d},
    tensor::{Bytes, DType, Shape},
};
use burn_flex::{Flex, FlexTensor, Layout};
use imageclassifier_kernels::{
    Architecture, BlockWeights, BuildError, FoldedConv, Isa, Network, NetworkWeights, ThreadTeam,
    Workspace,
};

use crate::{Embedding, FeatureMap, efficientnet_lite::EfficientNetLite};

/// The whole of [`EfficientNetLite`] as one operation on burn-flex tensors, with its weights packed for our own kernels.
#[derive(Debug)]
pub(crate) struct FusedEfficientNetLite {
    network: Network,
    classes: usize,
}

/// The weights of one layer, taken from burn's tensors, in PyTorch's layout.
struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// The layers of one block, as in [`BlockWeights`].
struct BlockLayers {
    expand_conv: Option<Layer>,
    depthwise_conv: Layer,
    project_conv: Layer,
}

impl FusedEfficientNetLite {
    /// Packs the weights of `layers` for `isa`.
    ///
    /// # Errors
    /// If this machine lacks the instruction set.
    pub(crate) fn new(
        layers: &EfficientNetLite,
        architecture: &Architecture,
        isa: Isa,
    ) -> Result<Self, BuildError> {
        let [conv_stem, conv_head] = [&layers.conv_stem, &layers.conv_head].map(Layer::of_conv);
        let fc = Layer::of_linear(&layers.fc);
        let blocks: Vec<_> = layers
            .blocks
            .iter()
            .map(|block| BlockLayers {
                expand_conv: block.expand_conv.as_ref().map(Layer::of_conv),
                depthwise_conv: Layer::of_conv(&block.depthwise_conv),
                project_conv: Layer::of_conv(&block.project_conv),
            })
            .collect();
        let weights = NetworkWeights {
            conv_stem: conv_stem.folded(),
            blocks: blocks.iter().map(BlockLayers::folded).collect(),
            conv_head: conv_head.folded(),
            fc: fc.folded(),
        };
        Ok(Self {
            network: Network::new(isa, architecture, &weights)?,
            classes: architecture.classes(),
        })
    }

    /// Buffers with which one thread can run the network.
    pub(crate) fn workspace(&self) -> Workspace {
        self.network.workspace()
    }

    /// # Shapes
    /// - images: `[batch, height, width, 3]`, values as in [`Input`](crate::Input)
    /// - logits: `[batch, classes]`
    pub(crate) fn forward(
        &self,
        images: Tensor<4>,
        workspace: &mut Workspace,
        team: &mut ThreadTeam,
    ) -> Tensor<2> {
        let [batch, height, width, channels] = images.dims();
        let images: FlexTensor = images
            .try_into_primitive::<Flex>()
            .expect("the images are on burn-flex");
        let images = images.to_contiguous();
        let mut logits = Vec::with_capacity(batch * self.classes);
        for image in images
            .storage::<f32>()
            .chunks_exact(height * width * channels)
        {
            let stem = self.network.stem();
            stem.pad_hwc(image, workspace.image_mut());
            logits.extend_from_slice(self.network.run_on(team, workspace));
        }
        let layout = Layout::contiguous(Shape::from(vec![batch, self.classes]));
        let logits = FlexTensor::new(Bytes::from_elems(logits), layout, DType::F32);
        Tensor::from_primitive::<Flex>(logits)
    }

    /// The features after global average pooling of the last image that ran in `workspace`.
    pub(crate) fn embedding(&self, workspace: &Workspace) -> Embedding {
        let head = self.network.head();
        Embedding::new(head.pooled(workspace.head_buffers()).to_vec())
    }

    /// The last feature map of the last image that ran in `workspace`.
    pub(crate) fn features(&self, workspace: &Workspace) -> FeatureMap {
        let shape = self.network.head().features_shape();
        let mut values = vec![0.0; shape.pixels() * shape.channels()];
        self.network
            .head()
            .copy_features(workspace.head_buffers(), &mut values);
        FeatureMap {
            height: shape.height(),
            width: shape.width(),
            values,
        }
    }
}

impl Layer {
    fn of_conv(conv: &Conv2d) -> Self {
        let bias = conv.bias.as_ref().expect("every convolution has a bias");
        Self {
            weight: values(conv.weight.val()),
            bias: values(bias.val()),
        }
    }

    /// burn stores `[features, classes]`, PyTorch `[classes, features]`.
    fn of_linear(linear: &Linear) -> Self {
        let bias = linear.bias.as_ref().expect("the classifier has a bias");
        Self {
            weight: values(linear.weight.val().transpose()),
            bias: values(bias.val()),
        }
    }

    fn folded(&self) -> FoldedConv<'_> {
        FoldedConv {
            weight: &self.weight,
            bias: &self.bias,
        }
    }
}

impl BlockLayers {
    fn folded(&self) -> BlockWeights<'_> {
        BlockWeights {
            expand_conv: self.expand_conv.as_ref().map(Layer::folded),
            depthwise_conv: self.depthwise_conv.folded(),
            project_conv: self.project_conv.folded(),
        }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_to_vec().expect("weights are f32")
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::Variant;

    /// Uses random weights: both networks compute the same function, whatever the trained weights are.
    #[test]
    fn every_instruction_set_equals_burns_operators_on_every_variant() {
        let device = Device::flex();
        for variant in Variant::ALL {
            let architecture = variant.architecture();
            let layers = EfficientNetLite::new(&architecture, &device);
            let size = variant.input_size() as usize;
            let range = Distribution::Uniform(-1.0, 1.0);
            let images = Tensor::<4>::random([2, size, size, 3], range, &device);
            let expected = layers.forward(images.clone());
            for isa in Isa::available() {
                let fused = FusedEfficientNetLite::new(&layers, &architecture, isa).unwrap();
                for threads in [1, 2] {
                    let mut workspace = fused.workspace();
                    let mut team = ThreadTeam::new(threads);
                    let actual = fused.forward(images.clone(), &mut workspace, &mut team);
                    let difference = (actual - expected.clone()).abs().max().into_scalar::<f32>();
                    assert!(
                        difference <= 1e-4,
                        "{variant:?}, {isa}, {threads} threads: {difference}"
                    );
                }
            }
        }
    }
}
