/// A member of the EfficientNet-Lite family, as scaled by the reference implementation
/// (<https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite>).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// Name of the model, as clients ask for it.
    pub name: &'static str,
    /// Side of the square input, in pixels.
    pub input_size: u32,
    /// Multiplies the number of channels of every stage.
    pub width: f64,
    /// Multiplies the number of blocks of every stage but the first and the last.
    pub depth: f64,
}

impl Variant {
    /// EfficientNet-Lite0: 4.65 million parameters, 385 million multiply-adds.
    pub const LITE0: Self = Self {
        name: "efficientnet-lite0",
        input_size: 224,
        width: 1.0,
        depth: 1.0,
    };
}
