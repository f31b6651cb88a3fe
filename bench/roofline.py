"""What one picture costs at least: arithmetic and memory, counted on the ONNX file."""

import math

import onnx
from onnx import numpy_helper, shape_inference

from native import MODEL


def costs() -> dict[str, float]:
    """Multiply-adds, bytes of weights, and bytes of maps if each is written and read once, layer by layer."""
    model = shape_inference.infer_shapes(onnx.load(MODEL))
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = {
        value.name: [dimension.dim_value or 1 for dimension in value.type.tensor_type.shape.dim]
        for value in [*graph.input, *graph.value_info, *graph.output]
    }
    multiply_adds = map_numbers = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            outputs = math.prod(shapes[node.output[0]])
            multiply_adds += outputs * math.prod(weights[node.input[1]].shape[1:])
            map_numbers += outputs + math.prod(shapes[node.input[0]])
    weight_bytes = sum(values.nbytes for values in weights.values())
    return {"mmac": multiply_adds / 1e6, "weight_mb": weight_bytes / 1e6, "map_mb": map_numbers * 4 / 1e6}
