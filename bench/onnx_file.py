"""Writes the network with the product's own weights as an ONNX file, so that all engines compute the same logits.

The graph is in the form that runtimes optimise best: BatchNorm is folded into the weights, SAME padding is an attribute of
each convolution, ReLU6 is a Clip, and the batch size is free.

usage: onnx_file.py OUT.onnx
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

WEIGHTS = Path(__file__).parent.parent / "model/weights/efficientnet_lite0.safetensors"
SIZE = 224
INPUT, OUTPUT = "images", "logits"
# (blocks, stride of the first block) of each stage of EfficientNet-Lite0.
STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]


class Graph:
    """The nodes so far, their weights, and the side of the last node's feature map."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        bounds = {"zero": 0.0, "six": 6.0}
        self.nodes = [helper.make_node("Constant", [], [name], value_float=bound) for name, bound in bounds.items()]
        self.side = SIZE

    def add(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def conv(self, x: str, layer: str, stride: int = 1, depthwise: bool = False, relu6: bool = True) -> str:
        weight = self.weights[f"{layer}.weight"]
        kernel = weight.shape[2]
        side = -(-self.side // stride)
        padding = max((side - 1) * stride + kernel - self.side, 0)
        # TensorFlow's SAME padding puts the odd pixel on the right and at the bottom.
        start, end = padding // 2, padding - padding // 2
        self.side = side
        y = self.add(
            "Conv", [x, f"{layer}.weight", f"{layer}.bias"], layer, kernel_shape=[kernel] * 2, strides=[stride] * 2,
            pads=[start, start, end, end], group=weight.shape[0] if depthwise else 1,
        )  # fmt: skip
        return self.add("Clip", [y, "zero", "six"], f"{layer}.relu6") if relu6 else y

    def block(self, x: str, name: str, stride: int) -> str:
        """Expand, filter each channel, project, and add the input if the shapes match."""
        expands = f"{name}.expand_conv.weight" in self.weights
        y = self.conv(x, f"{name}.expand_conv") if expands else x
        channels = self.weights[f"{name}.expand_conv.weight"].shape[1] if expands else None
        y = self.conv(y, f"{name}.depthwise_conv", stride, depthwise=True)
        y = self.conv(y, f"{name}.project_conv", relu6=False)
        same = stride == 1 and channels == self.weights[f"{name}.project_conv.weight"].shape[0]
        return self.add("Add", [x, y], f"{name}.sum") if same else y


def model() -> onnx.ModelProto:
    weights = load_file(WEIGHTS)
    graph = Graph(weights)
    x = graph.conv(INPUT, "conv_stem", stride=2)
    strides = [first if i == 0 else 1 for blocks, first in STAGES for i in range(blocks)]
    for index, stride in enumerate(strides):
        x = graph.block(x, f"blocks.{index}", stride)
    x = graph.conv(x, "conv_head")
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x], "pool")], "features")
    graph.add("Gemm", [x, "fc.weight", "fc.bias"], OUTPUT, transB=1)
    onnx_model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", 1000])],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(onnx_model, full_check=True)
    return onnx_model


if __name__ == "__main__":
    onnx.save(model(), sys.argv[1])
