use burn::{
    Tensor,
    module::Module,
    nn::{
        Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::Device,
};
use imageclassifier_kernels::{Architecture, BlockConfig};

/// EfficientNet-Lite (Tan and Le 2019, without squeeze-excite and with ReLU6), with BatchNorm folded into the convolutions.
/// Layers are named as in the reference implementation. Its `forward` consists of burn's own operators; the fused network
/// is compared with it.
#[derive(Module, Debug)]
pub(crate) struct EfficientNetLite {
    pub(crate) conv_stem: Conv2d,
    pub(crate) blocks: Vec<MbConvBlock>,
    pub(crate) conv_head: Conv2d,
    pub(crate) fc: Linear,
}

/// Inverted residual block (Sandler et al. 2018): widen, filter each channel, narrow, add the input where shapes agree.
#[derive(Module, Debug)]
pub(crate) struct MbConvBlock {
    pub(crate) expand_conv: Option<Conv2d>,
    pub(crate) depthwise_conv: Conv2d,
    pub(crate) project_conv: Conv2d,
    has_residual: bool,
}

impl EfficientNetLite {
    pub(crate) fn new(architecture: &Architecture, device: &Device) -> Self {
        let features = architecture.head_channels();
        let stem = [
            architecture.input().channels(),
            architecture.stem_output().channels(),
        ];
        let head = [architecture.last_map().channels(), features];
        Self {
            conv_stem: conv(stem, 3, 2, 1, device),
            conv_head: conv(head, 1, 1, 1, device),
            fc: LinearConfig::new(features, architecture.classes()).init(device),
            blocks: architecture
                .blocks()
                .iter()
                .map(|config| MbConvBlock::new(config, device))
                .collect(),
        }
    }

    /// # Shapes
    /// - images: `[batch, height, width, 3]`, values as in [`Input`](crate::Input)
    /// - logits: `[batch, classes]`
    pub(crate) fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classify(Self::pool(self.features(images)))
    }

    /// # Shapes
    /// - images: as for [`forward`](Self::forward)
    /// - the last feature map, after ReLU6: `[batch, channels, height, width]`
    pub(crate) fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let mut x = relu6(self.conv_stem.forward(images.permute([0, 3, 1, 2])));
        for block in &self.blocks {
            x = block.forward(x);
        }
        relu6(self.conv_head.forward(x))
    }

    /// Averages the feature map that [`features`](Self::features) returns to `[batch, channels]`.
    pub(crate) fn pool(features: Tensor<4>) -> Tensor<2> {
        let [batch, channels, height, width] = features.dims();
        features
            .reshape([batch, channels, height * width])
            .mean_dim(2)
            .reshape([batch, channels])
    }

    /// The logits for what [`pool`](Self::pool) returns.
    pub(crate) fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        self.fc.forward(pooled)
    }
}

impl MbConvBlock {
    fn new(config: &BlockConfig, device: &Device) -> Self {
        let input = config.input().channels();
        let inner = config.depthwise_channels();
        let expand_conv = config.expanded_channels();
        Self {
            expand_conv: expand_conv.map(|inner| conv([input, inner], 1, 1, 1, device)),
            depthwise_conv: conv(
                [inner, inner],
                config.kernel_size(),
                config.stride(),
                inner,
                device,
            ),
            project_conv: conv([inner, config.output().channels()], 1, 1, 1, device),
            has_residual: config.has_residual(),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let residual = self.has_residual.then(|| input.clone());
        let expanded = match &self.expand_conv {
            Some(expand_conv) => relu6(expand_conv.forward(input)),
            None => input,
        };
        let filtered = relu6(self.depthwise_conv.forward(expanded));
        let output = self.project_conv.forward(filtered);
        match residual {
            Some(residual) => output + residual,
            None => output,
        }
    }
}

/// A convolution with a bias and TensorFlow's SAME padding, which is asymmetric where the stride is 2.
fn conv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    groups: usize,
    device: &Device,
) -> Conv2d {
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_groups(groups)
        .with_padding(PaddingConfig2d::Same)
        .init(device)
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    x.clamp(0.0, 6.0)
}
