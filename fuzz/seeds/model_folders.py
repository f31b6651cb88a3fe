"""Seeds of model folders: config.json, a separator, model.safetensors. Two classes on EfficientNet-Lite0."""

import json
import struct

CHANNELS = 1280
DIGEST = "4097333f7bd4289c2a9cfdff7da18ed0f2a9fdc32568ffe52d73282553dc239c"
SEPARATOR = b"\n--\n"


def tensors(values, digest=DIGEST):
    """A safetensors file with these F32 tensors: name to shape and values."""
    header, data = {"__metadata__": {"base_digest": digest}}, b""
    for name, (shape, numbers) in values.items():
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def config(labels=("cat", "dog"), activation="softmax", digest=DIGEST, base="efficientnet-lite0", size=224):
    return json.dumps(
        {
            "format": 1,
            "labels": labels,
            "activation": activation,
            "base": {"name": base, "digest": digest},
            "preprocessing": {"version": "3", "input_size": size},
            "training": {"images": 4},
            "version": "0.1.0",
        }
    ).encode()


def head(classes=2, **changes):
    rows = [((index * 7) % 11 - 5) / 50 for index in range(classes * CHANNELS)]
    return {
        "fc.weight": ([classes, CHANNELS], rows),
        "fc.bias": ([classes], [0.25] * classes),
        "class_means": ([classes, CHANNELS], rows),
        "temperature": ([1], [0.5]),
        "known_threshold": ([1], [0.7]),
        **changes,
    }


def seeds():
    without_threshold = head()
    del without_threshold["known_threshold"]
    zeros = "0" * 64
    for name, (text, file) in {
        "softmax": (config(), tensors(head())),
        "sigmoid": (config(activation="sigmoid"), tensors(without_threshold)),
        "three-classes": (config(labels=("a", "b", "c")), tensors(head(3))),
        "labels-too-many": (config(labels=("a", "b", "c")), tensors(head())),
        "labels-same": (config(labels=("a", "a")), tensors(head())),
        "temperature-low": (config(), tensors(head(temperature=([1], [0.01])))),
        "temperature-zero": (config(), tensors(head(temperature=([1], [0.0])))),
        "bias-nan": (config(), tensors(head(**{"fc.bias": ([2], [0.0, float("nan")])}))),
        "bias-huge": (config(), tensors(head(**{"fc.bias": ([2], [3e38, -3e38])}))),
        "shape-wrong": (config(), tensors(head(**{"fc.bias": ([1, 2], [0.0, 0.0])}))),
        "other-base": (config(digest=zeros), tensors(head(), zeros)),
        "other-network": (config(base="efficientnet-lite2", size=260), tensors(head())),
        "digests-differ": (config(digest=zeros), tensors(head())),
        "empty": (b"{}", b""),
    }.items():
        yield name, text + SEPARATOR + file
