"""Exports torchvision's classifiers with random weights: export_models.py FOLDER NAME…   (Debian's python3-torchvision)"""

import sys
from pathlib import Path

import torch
import torchvision


def scale(model, image):
    """Scales the weights of each convolution so that what it writes has unit variance: random activations of deep networks
    vanish or explode otherwise. Batch normalisation gets statistics that are worth folding."""

    def after(layer, _, output):
        deviation = output.std()
        if not torch.isfinite(deviation) or deviation <= 0:
            return None
        layer.weight.div_(deviation)
        if layer.bias is not None:
            layer.bias.div_(deviation)
        return output / deviation

    hooks = []
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            hooks.append(layer.register_forward_hook(after))
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.normal_(0, 0.1)
    model(image)
    for hook in hooks:
        hook.remove()


@torch.no_grad()
def export(folder, name):
    torch.manual_seed(0)
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    if name == "deit_s":  # which is a vision transformer of another size
        model = torchvision.models.VisionTransformer(224, 16, num_layers=12, num_heads=6, hidden_dim=384, mlp_dim=1536).eval()
    else:
        model = getattr(torchvision.models, name)(weights=None, **options).eval()
    image = torch.rand(1, 3, 224, 224) * 2 - 1
    scale(model, image)
    if name.startswith(("deit", "vit")):
        # Its last layer begins as zeros.
        model.heads[-1].weight.normal_(0, 0.05)
    logits = model(image)
    print(f"{name}: standard deviation of the logits {logits.std():.3f}", flush=True)
    temporary = folder / f".{name}.onnx"
    open_batch = {"image": {0: "batch"}, "logits": {0: "batch"}}
    # Without gradients, attention would be one operator that has no equivalent in ONNX.
    with torch.enable_grad():
        torch.onnx.export(
            model, image, str(temporary), opset_version=16, input_names=["image"], output_names=["logits"], dynamic_axes=open_batch
        )
    temporary.rename(folder / f"{name}.onnx")


for name in sys.argv[2:]:
    export(Path(sys.argv[1]), name)
