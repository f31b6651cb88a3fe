"""Writes the small ONNX files in tests/fixtures and tests/rejected: one for each operator, and a network of each family, with random weights.

    python onnx/tests/fixtures.py onnx/tests        (needs onnx, onnxruntime and numpy)

Each file has onnxruntime's output for one input in its metadata. The input's element i is (i * 7919 % 1000) / 500 - 1.
The files in tests/rejected have the whole error in their metadata: they do what is not supported, or too much.
"""

import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SIDE = 8


class Net:
    """Operators one after the other; each method returns the name of what it wrote."""

    def __init__(self, name, opset=17, side=SIDE):
        self.name, self.opset, self.side = name, opset, side
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.nodes, self.constants = [], []

    def add(self, op, inputs, outputs=1, domain="", **attributes):
        names = [f"{op.lower()}{len(self.nodes)}_{i}" for i in range(outputs)]
        node = helper.make_node(op, inputs, names, name=f"/{names[0]}", domain=domain, **attributes)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def float(self, value):
        return self.constant(np.float32(value))

    def weight(self, *shape):
        scale = 1 / np.sqrt(max(1, np.prod(shape[1:])))
        return self.constant((self.random.standard_normal(shape) * scale).astype(np.float32))

    def uniform(self, low, high, *shape):
        return self.constant(self.random.uniform(low, high, shape).astype(np.float32))

    def conv(self, x, channels, out, kernel=3, bias=True, groups=1, **attributes):
        inputs = [x, self.weight(out, channels // groups, kernel, kernel)]
        if bias:
            inputs.append(self.weight(out))
        if "auto_pad" not in attributes:
            attributes.setdefault("pads", [kernel // 2] * 4)
        return self.add("Conv", inputs, group=groups, kernel_shape=[kernel, kernel], **attributes)

    def norm(self, x, channels):
        inputs = [x, self.uniform(0.5, 1.5, channels), self.weight(channels), self.weight(channels), self.uniform(0.5, 1.5, channels)]
        return self.add("BatchNormalization", inputs, epsilon=1e-3)

    def linear(self, x, inputs, outputs):
        return self.add("Add", [self.add("MatMul", [x, self.weight(inputs, outputs)]), self.weight(outputs)])

    def model(self, x):
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, self.side, self.side])
        output = helper.make_tensor_value_info(x, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, self.name, [image], [output], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)

    def save(self, model, folder, **metadata):
        helper.set_model_props(model, metadata)
        onnx.save(model, folder / f"{self.name}.onnx")

    def reject(self, folder, x, error):
        self.save(self.model(x), folder, rejected=f'layer "{self.nodes[-1].name}": {error}')

    def write(self, folder, x):
        if self.nodes[-1].op_type != "Gemm":
            x = self.add("Flatten", [x], axis=0)
        model = self.model(x)
        count = 3 * self.side**2
        values = ((np.arange(count) * 7919 % 1000).astype(np.float32) / np.float32(500) - np.float32(1))
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        [expected] = session.run(None, {"image": values.reshape(1, 3, self.side, self.side)})
        assert np.isfinite(expected).all(), self.name
        self.save(model, folder, expected=" ".join(f"{x:.7g}" for x in expected.ravel()))


CASES = {}


def case(function=None, **options):
    def register(function):
        CASES[function.__name__] = (function, options)
        return function

    return register(function) if function else register


def simple(name, build, **options):
    build.__name__ = name
    case(**options)(build)


# Convolutions
for name, arguments in {
    "conv_1x1": dict(kernel=1),
    "conv_3x3": dict(),
    "conv_3x3_s2": dict(strides=[2, 2]),
    "conv_3x3_same_upper": dict(strides=[2, 2], auto_pad="SAME_UPPER"),
    "conv_3x3_same_lower": dict(strides=[2, 2], auto_pad="SAME_LOWER"),
    "conv_3x3_asymmetric": dict(strides=[2, 2], pads=[0, 0, 1, 1]),
    "conv_3x3_dilated": dict(dilations=[2, 2], pads=[2, 2, 2, 2]),
    "conv_3x3_no_bias": dict(bias=False),
    "conv_7x7_s2": dict(kernel=7, strides=[2, 2]),
    "conv_4x4_s4": dict(kernel=4, strides=[4, 4], pads=[0] * 4),
    "conv_3x2": None,
}.items():
    if arguments is None:
        simple(name, lambda n: n.add("Conv", ["image", n.weight(5, 3, 3, 2)], kernel_shape=[3, 2], strides=[1, 2]))
    else:
        simple(name, lambda n, a=arguments: n.conv("image", 3, 20, **a))


@case
def conv_groups(n):
    x = n.conv("image", 3, 24, kernel=1)
    return n.add("Relu", [n.conv(x, 24, 32, groups=4)])


@case
def depthwise(n):
    x = n.conv("image", 3, 20, kernel=1)
    x = n.add("Relu", [n.conv(x, 20, 20, groups=20)])
    x = n.add("Clip", [n.conv(x, 20, 20, kernel=5, groups=20, strides=[2, 2]), n.float(0), n.float(6)])
    return n.conv(x, 20, 20, kernel=7, groups=20)


@case
def depthwise_multiplied(n):
    return n.conv("image", 3, 9, groups=3)


@case
def batch_norm(n):
    x = n.norm(n.conv("image", 3, 8, bias=False), 8)
    x = n.add("Relu", [n.norm(x, 8)])
    # Not after a convolution: it stays.
    return n.norm(n.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2]), 8)


# Activations
for op, attributes in {
    "Relu": {},
    "LeakyRelu": {"alpha": 0.1},
    "Elu": {"alpha": 0.7},
    "Sigmoid": {},
    "HardSigmoid": {"alpha": 0.15, "beta": 0.4},
    "HardSwish": {},
    "Tanh": {},
    "Erf": {},
    "Exp": {},
    "Neg": {},
    "Abs": {},
    "Floor": {},
}.items():
    simple("unary_" + op.lower(), lambda n, o=op, a=attributes: n.add(o, [n.add("Mul", ["image", n.float(4)])], **a))
    simple("conv_" + op.lower(), lambda n, o=op, a=attributes: n.add(o, [n.conv("image", 3, 6)], **a))
for op in ["Sqrt", "Log", "Reciprocal"]:
    simple("unary_" + op.lower(), lambda n, o=op: n.add(o, [n.add("Add", ["image", n.float(1.5)])]))
simple("unary_gelu", lambda n: n.add("Gelu", [n.add("Mul", ["image", n.float(4)])]), opset=20)
simple("unary_gelu_tanh", lambda n: n.add("Gelu", [n.add("Mul", ["image", n.float(4)])], approximate="tanh"), opset=20)
simple("clip_attributes", lambda n: n.add("Clip", ["image"], min=-0.5, max=0.25), opset=10)


@case
def silu(n):
    x = n.conv("image", 3, 6)
    return n.add("Mul", [x, n.add("Sigmoid", [x])])


@case
def hard_swish_written_out(n):
    x = n.conv("image", 3, 6)
    gate = n.add("Clip", [n.add("Add", [x, n.float(3)]), n.float(0), n.float(6)])
    return n.add("Div", [n.add("Mul", [x, gate]), n.float(6)])


def gelu(n, x):
    gate = n.add("Erf", [n.add("Div", [x, n.float(np.sqrt(2))])])
    product = n.add("Mul", [x, n.add("Add", [gate, n.float(1)])])
    return n.add("Mul", [product, n.float(0.5)])


simple("gelu_written_out", lambda n: gelu(n, n.conv("image", 3, 6)))


# Poolings
for name, op, attributes in [
    ("max_pool", "MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    ("max_pool_ceil", "MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
    ("average_pool", "AveragePool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    ("average_pool_all", "AveragePool", dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)),
    ("average_pool_2x2", "AveragePool", dict(kernel_shape=[2, 2], strides=[2, 2])),
    ("global_average_pool", "GlobalAveragePool", {}),
    ("global_max_pool", "GlobalMaxPool", {}),
]:
    simple(name, lambda n, o=op, a=attributes: n.add(o, [n.conv("image", 3, 18)], **a))
simple("reduce_mean", lambda n: n.add("ReduceMean", [n.conv("image", 3, 18)], axes=[2, 3], keepdims=0))
simple("reduce_mean_input", lambda n: n.add("ReduceMean", ["image", n.ints(-1)]), opset=18)
simple("reduce_sum_of_no_axes", lambda n: n.add("ReduceSum", ["image"], noop_with_empty_axes=1), opset=18)
simple("reduce_max", lambda n: n.add("ReduceMax", ["image"], axes=[1]))


# Products
@case
def gemm(n):
    x = n.add("Flatten", [n.add("GlobalAveragePool", [n.conv("image", 3, 20)])])
    x = n.add("Relu", [n.add("Gemm", [x, n.weight(30, 20), n.weight(30)], transB=1)])
    return n.add("Gemm", [x, n.weight(30, 7), n.weight(1, 7)], alpha=0.5, beta=2.0)


@case
def matmul(n):
    x = n.add("Reshape", ["image", n.ints(0, 3, -1)])
    x = n.linear(x, 64, 33)
    return n.add("MatMul", [x, n.add("Transpose", [x], perm=[0, 2, 1])])


@case
def matmul_batched(n):
    a = n.add("Reshape", ["image", n.ints(1, 3, 8, 8)])
    b = n.add("Reshape", ["image", n.ints(3, 8, 8)])
    return n.add("MatMul", [n.add("MatMul", [a, b]), n.weight(8, 5)])


# Shapes
simple("transpose", lambda n: n.add("Transpose", ["image"], perm=[0, 2, 3, 1]))
simple("concat", lambda n: n.add("Concat", [n.conv("image", 3, 5), "image", n.conv("image", 3, 18)], axis=1))
simple("slice", lambda n: n.add("Slice", ["image", n.ints(1, -1), n.ints(2**63 - 1, -(2**63)), n.ints(2, 3), n.ints(2, -1)]))
simple("slice_attributes", lambda n: n.add("Slice", ["image"], starts=[0, 2], ends=[2, -1], axes=[1, 2]), opset=9)
simple("pad", lambda n: n.add("Pad", ["image", n.ints(0, 0, 1, 2, 0, 0, 3, 0), n.float(0.5)]))
simple("gather", lambda n: n.add("Gather", ["image", n.ints(2, 0, -2)], axis=1))
simple("gather_scalar", lambda n: n.add("Gather", ["image", n.constant(np.int64(1))], axis=2))
simple("expand", lambda n: n.add("Expand", [n.add("ReduceMean", ["image"], axes=[2]), n.ints(2, 1, 3, 1)]))
simple("squeeze", lambda n: n.add("Unsqueeze", [n.add("Squeeze", ["image", n.ints(0)]), n.ints(0, -1)]))
simple("softmax", lambda n: n.add("Mul", [n.add("Softmax", ["image"], axis=-1), n.float(3)]))
simple("softmax_channels", lambda n: n.add("Mul", [n.add("Softmax", ["image"], axis=1), n.float(3)]))
simple("softmax_flat", lambda n: n.add("Mul", [n.add("Softmax", ["image"], axis=1), n.float(3)]), opset=12)
simple("broadcast", lambda n: n.add("Sub", [n.add("Div", ["image", n.uniform(1, 2, 3, 1, 1)]), n.uniform(0, 1, 8)]))
simple("remainder", lambda n: n.add("Mod", ["image", n.uniform(0.3, 0.6, 3, 1, 8)], fmod=1))
simple("power", lambda n: n.add("Pow", ["image", n.float(2)]))
simple("maximum", lambda n: n.add("Max", ["image", n.float(0.1), n.uniform(-1, 1, 3, 1, 8)]))
simple("half_constant", lambda n: n.add("Add", ["image", n.add("Cast", [n.constant((np.arange(8) / 7).astype(np.float16))], to=1)]))


@case
def split(n):
    a, b = n.add("Split", [n.conv("image", 3, 20), n.ints(4, 16)], outputs=2, axis=1)
    return n.add("Concat", [n.add("Relu", [b]), a], axis=1)


@case
def computed_shape(n):
    """As exporters write `view(n, -1)`."""
    batch = n.add("Gather", [n.add("Shape", ["image"]), n.constant(np.int64(0))], axis=0)
    batch = n.add("Unsqueeze", [batch, n.ints(0)])
    rows = n.add("Div", [n.add("Mul", [n.ints(7), n.ints(7)]), n.ints(16)])
    return n.add("Reshape", ["image", n.add("Concat", [batch, rows, n.ints(-1)], axis=0)])


@case
def computed_pad(n):
    """As exporters write the padding to a multiple of 5, which they compute in the graph."""
    width = n.add("Gather", [n.add("Shape", ["image"]), n.ints(3)], axis=0)
    missing = n.add("Mod", [n.add("Sub", [n.ints(5), n.add("Mod", [width, n.ints(5)])]), n.ints(5)])
    behind = n.add("Mod", [n.ints(-7), n.ints(4)])
    pads = n.add("Concat", [n.ints(0, 0, 0, 0, 0, 0), behind, missing], axis=0)
    return n.add("Pad", ["image", pads, n.float(0.5)])


@case
def scattered(n):
    """As exporters write the mask of shifted windows: elements and rows of a constant are replaced."""
    mask = n.add("ConstantOfShape", [n.ints(8, 8)], value=numpy_helper.from_array(np.array([0], np.float32)))
    corners = n.constant(np.array([[[0, 0], [0, -1]], [[-1, 0], [7, 7]]], np.int64))
    mask = n.add("ScatterND", [mask, corners, n.uniform(1, 2, 2, 2)])
    mask = n.add("ScatterND", [mask, n.constant(np.array([[3], [-4]], np.int64)), n.uniform(2, 3, 2, 8)])
    return n.add("Add", ["image", mask])


@case
def masked(n):
    mask = n.add("ConstantOfShape", [n.ints(8, 8)], value=numpy_helper.from_array(np.array([1], np.int64)))
    mask = n.add("Equal", [mask, n.constant(np.tri(8, dtype=np.int64))])
    return n.add("Add", ["image", n.add("Where", [mask, n.float(2), n.uniform(0, 1, 8, 8)])])


@case
def layer_norm(n):
    x = n.add("Transpose", [n.conv("image", 3, 20)], perm=[0, 2, 3, 1])
    return n.add("LayerNormalization", [x, n.uniform(0.5, 1.5, 20), n.weight(20)], axis=-1, epsilon=1e-6)


def norm_written_out(n, x, channels):
    centred = n.add("Sub", [x, n.add("ReduceMean", [x], axes=[-1])])
    variance = n.add("ReduceMean", [n.add("Pow", [centred, n.float(2)])], axes=[-1])
    x = n.add("Div", [centred, n.add("Sqrt", [n.add("Add", [variance, n.float(1e-5)])])])
    return n.add("Add", [n.add("Mul", [x, n.uniform(0.5, 1.5, channels)]), n.weight(channels)])


@case
def layer_norm_written_out(n):
    x = n.add("Transpose", [n.conv("image", 3, 20)], perm=[0, 2, 3, 1])
    return norm_written_out(n, x, 20)


@case
def channels_last(n):
    return n.add("Identity", [n.conv("image", 3, 6)])


@case
def channel_shuffle(n):
    x = n.add("Reshape", [n.conv("image", 3, 24), n.ints(1, 2, 12, 8, 8)])
    x = n.add("Reshape", [n.add("Transpose", [x], perm=[0, 2, 1, 3, 4]), n.ints(1, -1, 8, 8)])
    return n.conv(x, 24, 6, kernel=1)


# A network of each family
def head(n, x, channels, classes=10):
    x = n.add("Flatten", [n.add("GlobalAveragePool", [x])])
    return n.add("Gemm", [x, n.weight(classes, channels), n.weight(classes)], transB=1)


@case(side=16)
def residual(n):
    x = n.add("Relu", [n.norm(n.conv("image", 3, 8, bias=False, strides=[2, 2]), 8)])
    y = n.add("Relu", [n.norm(n.conv(x, 8, 8, bias=False), 8)])
    x = n.add("Relu", [n.add("Add", [n.norm(n.conv(y, 8, 8, bias=False), 8), x])])
    short = n.norm(n.conv(x, 8, 12, kernel=1, bias=False, strides=[2, 2]), 12)
    y = n.add("Relu", [n.norm(n.conv(x, 8, 12, bias=False, strides=[2, 2]), 12)])
    y = n.norm(n.conv(y, 12, 12, bias=False), 12)
    return head(n, n.add("Relu", [n.add("Add", [y, short])]), 12)


@case(side=24)
def winograd(n):
    x = n.add("Relu", [n.conv("image", 3, 16)])
    x = n.add("Relu", [n.conv(x, 16, 16)])
    x = n.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    return head(n, n.add("Add", [n.conv(x, 16, 16), x]), 16)


@case(side=16)
def inverted_residual(n):
    def swish(x):
        return n.add("Mul", [x, n.add("Sigmoid", [x])])

    x = swish(n.norm(n.conv("image", 3, 16, bias=False, strides=[2, 2]), 16))
    y = swish(n.norm(n.conv(x, 16, 48, kernel=1, bias=False), 48))
    y = swish(n.norm(n.conv(y, 48, 48, kernel=5, groups=48, bias=False), 48))
    gate = swish(n.conv(n.add("GlobalAveragePool", [y]), 48, 4, kernel=1))
    y = n.add("Mul", [y, n.add("Sigmoid", [n.conv(gate, 4, 48, kernel=1)])])
    x = n.add("Add", [n.norm(n.conv(y, 48, 16, kernel=1, bias=False), 16), x])
    return head(n, swish(n.norm(n.conv(x, 16, 40, kernel=1, bias=False), 40)), 40)


@case(side=16)
def convnext(n):
    channels = 16
    x = n.conv("image", 3, channels, kernel=4, strides=[4, 4], pads=[0] * 4)
    x = n.add("Transpose", [x], perm=[0, 2, 3, 1])
    x = n.add("LayerNormalization", [x, n.uniform(0.5, 1.5, channels), n.weight(channels)], axis=-1)
    x = n.add("Transpose", [x], perm=[0, 3, 1, 2])
    y = n.conv(x, channels, channels, kernel=7, groups=channels)
    y = norm_written_out(n, n.add("Transpose", [y], perm=[0, 2, 3, 1]), channels)
    y = n.linear(gelu(n, n.linear(y, channels, 4 * channels)), 4 * channels, channels)
    y = n.add("Mul", [n.add("Transpose", [y], perm=[0, 3, 1, 2]), n.uniform(0, 1, channels, 1, 1)])
    return head(n, n.add("Add", [y, x]), channels)


@case(side=16)
def vit(n):
    width, heads, tokens = 16, 2, 17
    x = n.conv("image", 3, width, kernel=4, strides=[4, 4], pads=[0] * 4)
    x = n.add("Transpose", [n.add("Reshape", [x, n.ints(0, width, -1)])], perm=[0, 2, 1])
    batch = n.add("Unsqueeze", [n.add("Gather", [n.add("Shape", [x]), n.constant(np.int64(0))]), n.ints(0)])
    token = n.add("Expand", [n.weight(1, 1, width), n.add("Concat", [batch, n.ints(-1 + 2, width)], axis=0)])
    x = n.add("Add", [n.add("Concat", [token, x], axis=1), n.weight(1, tokens, width)])
    y = norm_written_out(n, x, width)
    qkv = n.add("Reshape", [n.linear(y, width, 3 * width), n.ints(1, tokens, 3, heads, width // heads)])
    qkv = n.add("Transpose", [qkv], perm=[2, 0, 3, 1, 4])
    q, k, v = n.add("Split", [qkv], outputs=3, axis=0)
    q, k, v = (n.add("Squeeze", [it, n.ints(0)]) for it in (q, k, v))
    scores = n.add("MatMul", [n.add("Mul", [q, n.float(0.35)]), n.add("Transpose", [k], perm=[0, 1, 3, 2])])
    y = n.add("MatMul", [n.add("Softmax", [scores], axis=-1), v])
    y = n.add("Reshape", [n.add("Transpose", [y], perm=[0, 2, 1, 3]), n.ints(1, tokens, width)])
    x = n.add("Add", [x, n.linear(y, width, width)])
    y = n.linear(gelu(n, n.linear(norm_written_out(n, x, width), width, 2 * width)), 2 * width, width)
    x = norm_written_out(n, n.add("Add", [x, y]), width)
    return n.add("Gemm", [n.add("Gather", [x, n.constant(np.int64(0))], axis=1), n.weight(10, width), n.weight(10)], transB=1)


# The oldest and the newest opsets that are supported
for name, build, opset in [
    ("opset_7", residual, 7),
    ("opset_9", inverted_residual, 9),
    ("opset_21", inverted_residual, 21),
    ("opset_24", residual, 24),
]:
    CASES[name] = (build, {"side": 16, "opset": opset})


# What is rejected, with the error after the layer
REJECTED = {}


def rejected(error, **options):
    def register(function):
        REJECTED[function.__name__] = (function, error, options)
        return function

    return register


def filled(n, *shape):
    return n.add("ConstantOfShape", [n.ints(*shape)])


def scatter(n, indices, updates, **attributes):
    updates = n.constant(np.ones(updates, np.float32))
    return n.add("ScatterND", [filled(n, 8, 8), n.constant(np.array(indices, np.int64)), updates], **attributes)


@rejected("it reduces, which is not supported")
def scatter_that_adds(n):
    return scatter(n, [[3]], (1, 8), reduction="add")


@rejected("its indices name 3 axes, but the input has 2")
def scatter_beyond_the_rank(n):
    return scatter(n, [[1, 2, 3]], (1,))


@rejected("its indices name 0 axes, but the input has 2")
def scatter_of_no_axes(n):
    return scatter(n, np.zeros((1, 0)), (1, 8, 8))


@rejected("the number of updates does not match the indices")
def scatter_of_too_few(n):
    return scatter(n, [[3], [4]], (1, 8))


@rejected("there is no axis 8 among 8")
def scatter_beyond_the_end(n):
    return scatter(n, [[0, 8]], (1,))


@rejected("there is no axis -9 among 8")
def scatter_before_the_start(n):
    return scatter(n, [[-9]], (1, 8))


@rejected("the shape is negative or too large")
def fill_too_large(n):
    return filled(n, 2**40, 2**40)


@rejected("the shape is negative or too large")
def fill_negative(n):
    return filled(n, 3, -1)


@rejected("the range is too long")
def range_too_long(n):
    return n.add("Range", [n.float(0), n.float(1), n.float(1e-9)])


@rejected("the range is too long")
def range_without_step(n):
    return n.add("Range", [n.float(0), n.float(0), n.float(0)])


@rejected("it depends on the image, which is not supported")
def where_of_the_image(n):
    return n.add("Where", [n.constant(np.ones(8, bool)), "image", n.float(0)])


@rejected('the attribute "axis" of Add is not supported')
def attribute_of_an_older_opset(n):
    return n.add("Add", ["image", n.weight(3)], axis=1, broadcast=1)


@rejected('the attribute "value_string" of Constant is not supported')
def constant_text(n):
    return n.add("Constant", [], value_string="text")


@rejected("training_mode is 1: export the model in evaluation mode")
def norm_in_training(n):
    return n.add("BatchNormalization", ["image"] + [n.uniform(0.5, 1.5, 3) for _ in range(4)], training_mode=1)


@rejected("spatial is 0, which is not supported", opset=7)
def norm_of_each_pixel(n):
    return n.add("BatchNormalization", ["image"] + [n.uniform(0.5, 1.5, 3, 8, 8) for _ in range(4)], spatial=0)


@rejected("[1, 3, 8, 8] cannot become [0, 192]")
def reshape_to_nothing(n):
    return n.add("Reshape", ["image", n.ints(0, 192)], allowzero=1)


# Each computes less than the limit of 2²² elements before its last operator, whose result is beyond it.
TOO_LARGE = "its constants are too large together"


@rejected(TOO_LARGE)
def fills_too_large_together(n):
    filled(n, 2**21)
    filled(n, 2**20)
    return filled(n, 2**21)


@rejected(TOO_LARGE)
def ranges_too_large_together(n):
    for _ in range(5):
        x = n.add("Range", [n.float(0), n.float(1e6), n.float(1)])
    return x


@rejected(TOO_LARGE)
def scatter_too_large_together(n):
    updates = n.constant(np.ones((1, 1), np.float32))
    return n.add("ScatterND", [filled(n, 2500000, 1), n.ints(3), updates])


@rejected(TOO_LARGE)
def where_too_large_together(n):
    row, column = filled(n, 1, 1100), filled(n, 1100, 1)
    return n.add("Where", [row, column, row])


@rejected(TOO_LARGE)
def less_too_large_together(n):
    return n.add("Less", [filled(n, 1, 1300), filled(n, 1300, 1)])


@rejected(TOO_LARGE)
def not_too_large_together(n):
    return n.add("Not", [filled(n, 2500000)])


if __name__ == "__main__":
    tests = Path(sys.argv[1])
    folders = [tests / "fixtures", tests / "rejected"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    for name, (build, options) in CASES.items():
        net = Net(name, **options)
        net.write(folders[0], build(net))
    for name, (build, error, options) in REJECTED.items():
        net = Net(name, **options)
        net.reject(folders[1], build(net), error)
