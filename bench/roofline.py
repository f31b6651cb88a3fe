"""Lower bounds for one image, from the ONNX file: multiply-adds and bytes of memory."""

import math

import onnx
from onnx import numpy_helper, shape_inference

from native import MODEL


def costs() -> dict[str, float]:
    """Millions of multiply-adds, MB of weights, and MB of feature maps if each layer reads and writes them once."""
    model = shape_inference.infer_shapes(onnx.load(MODEL))
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = {
        value.name: [dimension.dim_value or 1 for dimension in value.type.tensor_type.shape.dim]
        for value in [*graph.input, *graph.value_info, *graph.output]
    }
    multiply_adds = map_elements = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            outputs = math.prod(shapes[node.output[0]])
            multiply_adds += outputs * math.prod(weights[node.input[1]].shape[1:])
            map_elements += outputs + math.prod(shapes[node.input[0]])
    weight_bytes = sum(values.nbytes for values in weights.values())
    return {"mmac": multiply_adds / 1e6, "weight_mb": weight_bytes / 1e6, "map_mb": map_elements * 4 / 1e6}
