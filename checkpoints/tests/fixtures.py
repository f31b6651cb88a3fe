"""Writes tests/fixtures: the logits of every architecture, and small files of torch.save and safetensors.

    python checkpoints/tests/fixtures.py checkpoints/tests/fixtures

Needs timm, torch, torchvision, transformers and safetensors.

No weights are stored: tests/checkpoints/formula.rs makes the same ones.
"""

import sys
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import safetensors.torch
import timm
import torch
import torchvision
import transformers

SIDE = 72
CLASSES = 7

TIMM = """
tf_efficientnet_lite0 tf_efficientnet_lite1 tf_efficientnet_lite2 tf_efficientnet_lite3 tf_efficientnet_lite4
efficientnet_lite0 efficientnet_lite1 efficientnet_lite2 efficientnet_lite3 efficientnet_lite4
tf_efficientnet_b0 tf_efficientnet_b1 tf_efficientnet_b2 tf_efficientnet_b3
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3
mobilenetv2_100 mobilenetv3_small_100 mobilenetv3_large_100 tf_mobilenetv3_small_100 tf_mobilenetv3_large_100
resnet18 resnet34 resnet50
""".split()
TORCHVISION = """
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3
mobilenet_v2 mobilenet_v3_small mobilenet_v3_large
""".split()
TRANSFORMERS = {
    "resnet18": dict(depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512], layer_type="basic"),
    "resnet34": dict(depths=[3, 4, 6, 3], hidden_sizes=[64, 128, 256, 512], layer_type="basic"),
    "resnet50": dict(depths=[3, 4, 6, 3], hidden_sizes=[256, 512, 1024, 2048], layer_type="bottleneck"),
}


def uniform(name, count):
    """Numbers from 0 to 1, the same for every run and language."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(zlib.crc32(name.encode()))
        x = (x ^ x >> 15) * np.uint32(0x2C1B3C6D)
        x = (x ^ x >> 12) * np.uint32(0x297A2D39)
        x = x ^ x >> 15
    return (x >> 8).astype(np.float32) / np.float32(1 << 24)


def values(name, shape):
    """Weights with which activations neither vanish nor explode. Variances are small, so that epsilons matter."""
    one = np.float32(1)
    u = uniform(name, int(np.prod(shape)))
    if len(shape) >= 2:
        scale = np.sqrt(3.0 / np.prod(shape[1:])) * (0.1 if len(shape) == 4 else 1.0)
        u = (u * np.float32(2) - one) * np.float32(scale)
    elif name.endswith("running_var"):
        u = (u + np.float32(0.5)) * np.float32(0.01)
    elif name.endswith("weight"):
        u = u + np.float32(0.5)
    elif name.endswith("running_mean"):
        u = (u - np.float32(0.5)) * np.float32(0.1)
    else:
        u = u - np.float32(0.5)
    return torch.from_numpy(u.reshape(shape))


def models():
    for name in TIMM:
        yield name, "timm", timm.create_model(name, num_classes=CLASSES)
    for name in TORCHVISION:
        yield name, "torchvision", torchvision.models.__dict__[name](num_classes=CLASSES)
    for name, config in TRANSFORMERS.items():
        config = transformers.ResNetConfig(**config, num_labels=CLASSES)
        yield name, "transformers", transformers.ResNetForImageClassification(config)


def write_logits(folder):
    """A line for each: architecture, naming, tensors, parameters with statistics, logits."""
    image = (uniform("image", 3 * SIDE**2) * np.float32(4) - np.float32(2)).reshape(1, 3, SIDE, SIDE)
    lines = []
    for name, naming, model in models():
        state = {key: value for key, value in model.state_dict().items() if value.dtype == torch.float32}
        state = {key: values(key, tuple(value.shape)) for key, value in state.items()}
        model.load_state_dict(state, strict=False)
        with torch.no_grad():
            logits = model.eval()(torch.from_numpy(image))
        logits = getattr(logits, "logits", logits)[0]
        assert torch.isfinite(logits).all() and 0.01 < logits.std() < 100, (name, logits)
        count = sum(value.numel() for value in state.values())
        lines.append(" ".join([name, naming, str(len(state)), str(count), *(f"{x:.7g}" for x in logits.tolist())]))
        print(lines[-1])
    (folder / "logits.txt").write_text("\n".join(lines) + "\n")


def write_pytorch(folder):
    """The tensors `a` and `b`, in every way in which they are saved."""
    a, b = values("a", (3, 4)), values("b", (2, 3, 2, 2))
    state = OrderedDict(a=a, b=b)
    counted = OrderedDict([*state.items(), ("bn.num_batches_tracked", torch.tensor(3))])
    whole = torch.cat([torch.zeros(5), a.flatten(), b.flatten()])
    files = {
        "plain": state,
        "counted": counted,
        "half": OrderedDict((name, x.half()) for name, x in state.items()),
        "bfloat16": OrderedDict((name, x.bfloat16()) for name, x in state.items()),
        "double": OrderedDict((name, x.double()) for name, x in state.items()),
        "parameters": OrderedDict((name, torch.nn.Parameter(x)) for name, x in state.items()),
        "views": OrderedDict(a=whole[5:17].view(3, 4), b=whole[17:].view(2, 3, 2, 2)),
        "strided": OrderedDict(a=a.t().contiguous().t(), b=b.contiguous(memory_format=torch.channels_last)),
        "wrapped": OrderedDict((f"module.{name}", x) for name, x in state.items()),
        "training": {"epoch": 3, "arch": "resnet18", "state_dict": dict(state), "best": 0.5, "optimizer": {"state": {}, "lr": [1e-3, None]}},
    }
    for name, content in files.items():
        torch.save(content, folder / f"{name}.pth")
        torch.save(content, folder / f"{name}_legacy.pth", _use_new_zipfile_serialization=False)
    for name in ("plain", "counted", "half", "bfloat16", "double", "wrapped"):
        safetensors.torch.save_file(dict(files[name]), folder / f"{name}.safetensors")
    layer = torch.nn.Linear(2, 2)
    torch.save(layer, folder / "no_state_dict.pth")
    torch.save([1, 2], folder / "no_dictionary.pth")


if __name__ == "__main__":
    torch.manual_seed(0)
    write_pytorch(Path(sys.argv[1]))
    write_logits(Path(sys.argv[1]))
