use std::fmt;

use imageclassifier_kernels::{Graph, GraphError};

use crate::inverted_residuals::{InvertedResiduals, mobilenet_v3};
use crate::layers::{Layers, Padding};
use crate::resnet::ResNet;
use crate::{Naming, Weights};

/// A network whose layers are known by its name.
#[derive(Clone, Copy)]
pub struct Architecture(&'static Entry);

struct Entry {
    name: &'static str,
    family: Family,
    namings: &'static [Naming],
    padding: Padding,
    epsilon: f32,
}

enum Family {
    /// Width and depth, in tenths.
    EfficientNet(usize, usize),
    /// The same.
    EfficientNetLite(usize, usize),
    MobileNetV2,
    MobileNetV3(&'static mobilenet_v3::Variant),
    ResNet(ResNet),
}

use Family::{EfficientNet, EfficientNetLite, MobileNetV2, MobileNetV3, ResNet as Residual};

const TIMM: &[Naming] = &[Naming::Timm];
const TORCHVISION: &[Naming] = &[Naming::Torchvision];
const TIMM_TORCHVISION: &[Naming] = &[Naming::Timm, Naming::Torchvision];
/// timm and torchvision agree.
const RESNET: &[Naming] = &[Naming::Timm, Naming::Transformers];

/// The epsilon of weights that were trained with TensorFlow; torchvision's MobileNetV3 has it, too.
const LARGE_EPSILON: f32 = 1e-3;

const ARCHITECTURES: &[Entry] = &[
    tensorflow("tf_efficientnet_lite0", EfficientNetLite(10, 10)),
    tensorflow("tf_efficientnet_lite1", EfficientNetLite(10, 11)),
    tensorflow("tf_efficientnet_lite2", EfficientNetLite(11, 12)),
    tensorflow("tf_efficientnet_lite3", EfficientNetLite(12, 14)),
    tensorflow("tf_efficientnet_lite4", EfficientNetLite(14, 18)),
    pytorch("efficientnet_lite0", EfficientNetLite(10, 10), TIMM),
    pytorch("efficientnet_lite1", EfficientNetLite(10, 11), TIMM),
    pytorch("efficientnet_lite2", EfficientNetLite(11, 12), TIMM),
    pytorch("efficientnet_lite3", EfficientNetLite(12, 14), TIMM),
    pytorch("efficientnet_lite4", EfficientNetLite(14, 18), TIMM),
    tensorflow("tf_efficientnet_b0", EfficientNet(10, 10)),
    tensorflow("tf_efficientnet_b1", EfficientNet(10, 11)),
    tensorflow("tf_efficientnet_b2", EfficientNet(11, 12)),
    tensorflow("tf_efficientnet_b3", EfficientNet(12, 14)),
    pytorch("efficientnet_b0", EfficientNet(10, 10), TIMM_TORCHVISION),
    pytorch("efficientnet_b1", EfficientNet(10, 11), TIMM_TORCHVISION),
    pytorch("efficientnet_b2", EfficientNet(11, 12), TIMM_TORCHVISION),
    pytorch("efficientnet_b3", EfficientNet(12, 14), TIMM_TORCHVISION),
    pytorch("mobilenetv2_100", MobileNetV2, TIMM),
    pytorch("mobilenet_v2", MobileNetV2, TORCHVISION),
    pytorch(
        "mobilenetv3_small_100",
        MobileNetV3(&mobilenet_v3::SMALL),
        TIMM,
    ),
    pytorch(
        "mobilenetv3_large_100",
        MobileNetV3(&mobilenet_v3::LARGE),
        TIMM,
    ),
    tensorflow(
        "tf_mobilenetv3_small_100",
        MobileNetV3(&mobilenet_v3::SMALL),
    ),
    tensorflow(
        "tf_mobilenetv3_large_100",
        MobileNetV3(&mobilenet_v3::LARGE),
    ),
    with_large_epsilon("mobilenet_v3_small", MobileNetV3(&mobilenet_v3::SMALL)),
    with_large_epsilon("mobilenet_v3_large", MobileNetV3(&mobilenet_v3::LARGE)),
    pytorch("resnet18", Residual(ResNet::basic([2, 2, 2, 2])), RESNET),
    pytorch("resnet34", Residual(ResNet::basic([3, 4, 6, 3])), RESNET),
    pytorch(
        "resnet50",
        Residual(ResNet::bottleneck([3, 4, 6, 3])),
        RESNET,
    ),
];

const fn pytorch(name: &'static str, family: Family, namings: &'static [Naming]) -> Entry {
    Entry {
        name,
        family,
        namings,
        padding: Padding::Symmetric,
        epsilon: 1e-5,
    }
}

/// torchvision's.
const fn with_large_epsilon(name: &'static str, family: Family) -> Entry {
    Entry {
        epsilon: LARGE_EPSILON,
        ..pytorch(name, family, TORCHVISION)
    }
}

/// timm's, with weights that came from TensorFlow.
const fn tensorflow(name: &'static str, family: Family) -> Entry {
    Entry {
        padding: Padding::Same,
        epsilon: LARGE_EPSILON,
        ..pytorch(name, family, TIMM)
    }
}

impl Architecture {
    /// The architecture that timm or torchvision calls so. What follows a full stop, as in `resnet50.a1_in1k`, only says
    /// how the weights were trained.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.split('.').next();
        let mut all = Self::all();
        all.find(|it| Some(it.name()) == name)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ARCHITECTURES.iter().map(Self)
    }

    /// As timm or torchvision calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The naming schemes that its checkpoints may use.
    #[must_use]
    pub fn namings(self) -> &'static [Naming] {
        self.0.namings
    }

    /// The network for one image `[1, 3, input_size, input_size]`, with logits `[1, classes]`.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape, or the image is too large.
    pub fn graph(self, weights: &mut dyn Weights, input_size: usize) -> Result<Graph, GraphError> {
        let entry = self.0;
        let naming = self.naming(weights);
        let mut layers = Layers::new(input_size, weights, entry.padding, entry.epsilon)?;
        let output = match &entry.family {
            Residual(family) => family.add_to(&mut layers, naming)?,
            MobileNetV2 => InvertedResiduals::mobilenet_v2().add_to(&mut layers, naming)?,
            MobileNetV3(variant) => variant.network().add_to(&mut layers, naming)?,
            EfficientNet(width, depth) => {
                InvertedResiduals::efficientnet(*width, *depth).add_to(&mut layers, naming)?
            }
            EfficientNetLite(width, depth) => {
                InvertedResiduals::efficientnet_lite(*width, *depth).add_to(&mut layers, naming)?
            }
        };
        layers.finish(output)
    }

    /// The naming scheme of `weights`; the first supported one if none matches, so that errors use its names.
    fn naming(self, weights: &dyn Weights) -> Naming {
        let namings = self.0.namings;
        let first_conv = |naming| match (&self.0.family, naming) {
            (Residual(_), naming) => ResNet::first_conv(naming),
            (_, naming) => InvertedResiduals::first_conv(naming),
        };
        let has = |naming: &&Naming| weights.contains(&format!("{}.weight", first_conv(**naming)));
        namings.iter().find(has).copied().unwrap_or(namings[0])
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Architecture").field(&self.name()).finish()
    }
}

impl PartialEq for Architecture {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Architecture {}
