use imageclassifier_kernels::Architecture;

use crate::architecture::efficientnet_lite;

/// A member of the EfficientNet-Lite family, as scaled by the reference implementation
/// (<https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// 4.65 million parameters, 385 million multiply-adds, 224 x 224 pixels.
    Lite0,
    /// 5.4 million parameters, 240 x 240 pixels.
    Lite1,
    /// 6.1 million parameters, 260 x 260 pixels.
    Lite2,
}

impl Variant {
    /// Every variant, smallest first.
    pub const ALL: [Self; 3] = [Self::Lite0, Self::Lite1, Self::Lite2];

    /// Name of the model, as clients know it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lite0 => "efficientnet-lite0",
            Self::Lite1 => "efficientnet-lite1",
            Self::Lite2 => "efficientnet-lite2",
        }
    }

    /// Side of the square input, in pixels.
    #[must_use]
    pub fn input_size(self) -> u32 {
        match self {
            Self::Lite0 => 224,
            Self::Lite1 => 240,
            Self::Lite2 => 260,
        }
    }

    /// Number of features after global average pooling: the length of an [`Embedding`](crate::Embedding).
    #[must_use]
    pub fn channels(self) -> usize {
        self.architecture().head_channels()
    }

    pub(crate) fn architecture(self) -> Architecture {
        let (width_tenths, depth_tenths) = match self {
            Self::Lite0 => (10, 10),
            Self::Lite1 => (10, 11),
            Self::Lite2 => (11, 12),
        };
        efficientnet_lite(self.input_size() as usize, width_tenths, depth_tenths)
    }
}
