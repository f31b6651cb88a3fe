/// The library that named the layers of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `conv_stem`, `blocks.1.0.conv_pw`
    Timm,
    /// `features.0.0`, `features.2.0.block.0.0`
    Torchvision,
    /// `resnet.embedder.embedder`
    Transformers,
}
