//! Which attributes the operators have, over all opsets that are supported.

/// The attributes of an operator; `None` if the operator is not supported.
///
/// A file with another attribute is rejected: what it asks for could change the result.
pub(super) fn known(op_type: &str) -> Option<&'static [&'static str]> {
    Some(match op_type {
        "Conv" => &[
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "pads",
            "strides",
        ],
        // `storage_order` is about the indices, which are not supported.
        "MaxPool" => &[
            "auto_pad",
            "ceil_mode",
            "dilations",
            "kernel_shape",
            "pads",
            "storage_order",
            "strides",
        ],
        "AveragePool" => &[
            "auto_pad",
            "ceil_mode",
            "count_include_pad",
            "dilations",
            "kernel_shape",
            "pads",
            "strides",
        ],
        "BatchNormalization" => &["epsilon", "momentum", "spatial", "training_mode"],
        "LayerNormalization" => &["axis", "epsilon", "stash_type"],
        "Gemm" => &["alpha", "beta", "transA", "transB"],
        "ReduceMean" | "ReduceSum" | "ReduceMax" => &["axes", "keepdims", "noop_with_empty_axes"],
        "Softmax" | "LogSoftmax" | "Flatten" | "Concat" | "Gather" => &["axis"],
        "Mod" => &["fmod"],
        "Clip" => &["max", "min"],
        "LeakyRelu" | "Elu" | "Swish" => &["alpha"],
        "HardSigmoid" => &["alpha", "beta"],
        "Gelu" => &["approximate"],
        "Dropout" => &["ratio", "seed"],
        // All but `to` are about types that are not supported.
        "Cast" => &["round_mode", "saturate", "to"],
        "Reshape" => &["allowzero"],
        "Squeeze" | "Unsqueeze" => &["axes"],
        "Transpose" => &["perm"],
        "Slice" => &["axes", "ends", "starts"],
        "Pad" => &["mode", "pads", "value"],
        "Split" => &["axis", "num_outputs", "split"],
        "Shape" => &["end", "start"],
        "Constant" => &[
            "value",
            "value_float",
            "value_floats",
            "value_int",
            "value_ints",
        ],
        "ConstantOfShape" => &["value"],
        "ScatterND" => &["reduction"],
        "GlobalAveragePool" | "GlobalMaxPool" | "MatMul" | "Add" | "Sub" | "Mul" | "Div"
        | "Pow" | "Min" | "Max" | "Equal" | "Relu" | "Sigmoid" | "HardSwish" | "Tanh" | "Erf"
        | "Exp" | "Log" | "Sqrt" | "Reciprocal" | "Neg" | "Abs" | "Floor" | "Identity"
        | "Expand" | "Size" | "Range" | "Where" | "Not" | "And" | "Or" | "Greater"
        | "GreaterOrEqual" | "Less" | "LessOrEqual" => &[],
        _ => return None,
    })
}
