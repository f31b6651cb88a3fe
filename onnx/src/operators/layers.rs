//! Convolutions, poolings, products, normalisations and reductions.

use imageclassifier_kernels::{Binary, Conv, Op, Pool, Pooling, Reduction, ValueId, Window};

use crate::OnnxError;
use crate::context::Context;

/// Whether the operator is one of these.
pub(super) fn import(it: &mut Context<'_, '_, '_>) -> Result<bool, OnnxError> {
    let id = match it.node.op_type {
        "Conv" => conv(it)?,
        "MaxPool" | "AveragePool" => pool(it)?,
        "GlobalAveragePool" => global_pool(it, Reduction::Mean)?,
        "GlobalMaxPool" => global_pool(it, Reduction::Max)?,
        "BatchNormalization" => batch_norm(it)?,
        "LayerNormalization" => layer_norm(it)?,
        "Gemm" => gemm(it)?,
        "MatMul" => {
            let inputs = [it.input(0)?, it.input(1)?];
            it.add(Op::MatMul, &inputs)?
        }
        "Softmax" => softmax(it)?,
        "LogSoftmax" => {
            let id = softmax(it)?;
            it.add_unary(imageclassifier_kernels::Unary::Log, id)?
        }
        "ReduceMean" => reduce(it, Reduction::Mean)?,
        "ReduceSum" => reduce(it, Reduction::Sum)?,
        "ReduceMax" => reduce(it, Reduction::Max)?,
        _ => return Ok(false),
    };
    it.set(id);
    Ok(true)
}

/// Two numbers of an attribute; `default` if it is absent.
fn pair(it: &Context<'_, '_, '_>, name: &str, default: usize) -> Result<[usize; 2], OnnxError> {
    let Some(ints) = it.ints_attribute(name) else {
        return Ok([default; 2]);
    };
    let sizes = ints
        .iter()
        .map(|int| usize::try_from(*int).ok().filter(|it| *it <= 1 << 20));
    let sizes: Option<Vec<_>> = sizes.collect();
    let pair = sizes.and_then(|sizes| <[usize; 2]>::try_from(sizes).ok());
    pair.ok_or_else(|| it.error(format!("{name} is {ints:?} instead of two sizes")))
}

/// The window of a convolution or pooling over a map of `shape`.
fn window(
    it: &Context<'_, '_, '_>,
    kernel: [usize; 2],
    shape: &[usize],
) -> Result<Window, OnnxError> {
    let &[_, _, height, width] = shape else {
        return Err(it.error(format!(
            "it reads {shape:?} instead of a map [1, channels, height, width]"
        )));
    };
    let mut window = Window {
        kernel,
        stride: pair(it, "strides", 1)?,
        dilation: pair(it, "dilations", 1)?,
        pad_begin: [0; 2],
        pad_end: [0; 2],
    };
    let auto = it.text_attribute("auto_pad");
    match auto {
        b"" | b"NOTSET" => {
            if let Some(pads) = it.ints_attribute("pads") {
                let sizes: Vec<_> = pads
                    .iter()
                    .filter_map(|pad| usize::try_from(*pad).ok())
                    .collect();
                let &[top, left, bottom, right] = sizes.as_slice() else {
                    return Err(it.error(format!("pads is {pads:?} instead of four sizes")));
                };
                (window.pad_begin, window.pad_end) = ([top, left], [bottom, right]);
            }
        }
        b"VALID" => {}
        b"SAME_UPPER" | b"SAME_LOWER" => {
            for (i, size) in [height, width].into_iter().enumerate() {
                let stride = window.stride[i].max(1);
                let reach = kernel[i]
                    .saturating_sub(1)
                    .saturating_mul(window.dilation[i])
                    + 1;
                let touched = (size.div_ceil(stride) - 1)
                    .saturating_mul(stride)
                    .saturating_add(reach);
                let padding = touched.saturating_sub(size);
                let (less, more) = (padding / 2, padding - padding / 2);
                (window.pad_begin[i], window.pad_end[i]) = if auto == b"SAME_UPPER" {
                    (less, more)
                } else {
                    (more, less)
                };
            }
        }
        _ => return Err(it.error("auto_pad has an unknown value")),
    }
    Ok(window)
}

fn conv(it: &mut Context<'_, '_, '_>) -> Result<ValueId, OnnxError> {
    let mut inputs = vec![it.input(0)?, it.input(1)?];
    let bias = it.optional(2)?;
    inputs.extend(bias.map(|bias| bias.id));
    let (shape, weight) = (it.shape(inputs[0]), it.shape(inputs[1]));
    let &[_, _, height, width] = weight.as_slice() else {
        return Err(it.error(format!(
            "its weight has the shape {weight:?}: only two-dimensional convolutions are supported"
        )));
    };
    let groups = usize::try_from(it.int_attribute("group").unwrap_or(1)).unwrap_or_default();
    let op = Op::Conv(Conv {
        window: window(it, [height, width], &shape)?,
        groups,
        bias: bias.is_some(),
        residual: false,
        activation: None,
    });
    it.add(op, &inputs)
}

fn pool(it: &mut Context<'_, '_, '_>) -> Result<ValueId, OnnxError> {
    let input = it.input(0)?;
    let shape = it.shape(input);
    let kernel = pair(it, "kernel_shape", 0)?;
    let mut window = window(it, kernel, &shape)?;
    let count_padding = it.int_attribute("count_include_pad") == Some(1);
    let is_max = it.node.op_type == "MaxPool";
    if it.int_attribute("ceil_mode") == Some(1) {
        for i in 0..2 {
            let (size, stride) = (shape[2 + i], window.stride[i].max(1));
            let padded = window.pad_begin[i]
                .saturating_add(size)
                .saturating_add(window.pad_end[i]);
            let rest = padded.saturating_sub(kernel[i]) % stride;
            let windows = padded.saturating_sub(kernel[i]) / stride + 1;
            // A window that would begin in the padding at the end is left out.
            if rest > 0 && windows * stride < size + window.pad_begin[i] {
                if count_padding && !is_max {
                    return Err(
                        it.error("ceil_mode together with count_include_pad is not supported")
                    );
                }
                window.pad_end[i] += stride - rest;
            }
        }
    }
    let pooling = if is_max {
        Pooling::Max
    } else {
        Pooling::Average { count_padding }
    };
    it.add(Op::Pool(Pool { window, pooling }), &[input])
}

fn global_pool(it: &mut Context<'_, '_, '_>, reduction: Reduction) -> Result<ValueId, OnnxError> {
    let input = it.input(0)?;
    let axes = (2..it.shape(input).len()).collect();
    it.add(Op::Reduce { reduction, axes }, &[input])
}

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias` as a product and a sum, which fusing folds into a convolution.
fn batch_norm(it: &mut Context<'_, '_, '_>) -> Result<ValueId, OnnxError> {
    let input = it.input(0)?;
    let epsilon = it.float_attribute("epsilon", 1e-5);
    if it.int_attribute("training_mode") == Some(1) {
        return Err(it.error("training_mode is 1: export the model in evaluation mode"));
    }
    let mut parameters = Vec::new();
    for i in 1..5 {
        let values = it.floats(i)?;
        parameters.push(values.ok_or_else(|| it.error(format!("input {i} is missing")))?);
    }
    let [scale, bias, mean, variance] =
        <[Vec<f32>; 4]>::try_from(parameters).expect("four were read");
    let shape = it.shape(input);
    let channels = scale.len();
    // Old exporters of MXNet write 0 for parameters of whole channels, too.
    let is_spatial = it.int_attribute("spatial") != Some(0);
    if !is_spatial && shape.get(1) != Some(&channels) {
        return Err(it.error("spatial is 0, which is not supported"));
    }
    let fits = shape.len() >= 2
        && shape[1] == channels
        && [&bias, &mean, &variance]
            .iter()
            .all(|it| it.len() == channels);
    if !fits {
        return Err(it.error(format!("its {channels} parameters do not fit {shape:?}")));
    }
    let factors: Vec<f32> = scale
        .iter()
        .zip(&variance)
        .map(|(scale, variance)| scale / (variance + epsilon).sqrt())
        .collect();
    let shifts = bias
        .iter()
        .zip(mean.iter().zip(&factors))
        .map(|(bias, (mean, factor))| bias - mean * factor);
    let shifts = shifts.collect();
    let mut axes = vec![1; shape.len() - 1];
    axes[0] = channels;
    let factors = it.add_constant(&axes, factors)?;
    let shifts = it.add_constant(&axes, shifts)?;
    let scaled = it.add(Op::Binary(Binary::Mul), &[input, factors])?;
    it.add(Op::Binary(Binary::Add), &[scaled, shifts])
}

fn layer_norm(it: &mut Context<'_, '_, '_>) -> Result<ValueId, OnnxError> {
    let input = it.input(0)?;
    let axis = it.axis(
        it.int_attribute("axis").unwrap_or(-1),
        it.shape(input).len(),
    )?;
    let epsilon = it.float_attribute("epsilon", 1e-5);
    let mut inputs = vec![input];
    for i in 1..3 {
        inputs.extend(it.optional(i)?.map(|entry| entry.id));
    }
    it.add(Op::LayerNorm { axis, epsilon }, &inputs)
}

fn gemm(it: &mut Context<'_, '_, '_>) -> Result<ValueId, OnnxError> {
    let (mut rows, mut weight) = (it.input(0)?, it.input(1)?);
    if it.int_attribute("transA") == Some(1) {
        rows = it.add(Op::Transpose(vec![1, 0]), &[rows])?;
    }
    let alpha = it.float_attribute("alpha", 1.0);
    if alpha != 1.0 {
        let alpha = it.add_constant(&[], vec![alpha])?;
        weight = it.add(Op::Binary(Binary::Mul), &[weight, alpha])?;
    }
    let transposed = it.int_attribute("transB") != Some(1);
    let op = Op::Linear {
        transposed,
        bias: false,
        residual: false,
        activation: None,
    };
    let product = it.add(op, &[rows, weight])?;
    let Some(mut bias) = it.optional(2)?.map(|entry| entry.id) else {
        return Ok(product);
    };
    let beta = it.float_attribute("beta", 1.0);
    if beta != 1.0 {
        let beta = it.add_constant(&[], vec![beta])?;
        bias = it.add(Op::Binary(Binary::Mul), &[bias, beta])?;
    }
    it.add(Op::Binary(Binary::Add), &[product, bias])
}

fn softmax(it: &mut Context<'_, '_, '_>) -> Result<ValueId, OnnxError> {
    let input = it.input(0)?;
    let shape = it.shape(input);
    // Up to opset 12, all axes from this one on were one axis.
    let flattens = it.opset() < 13;
    let default = if flattens { 1 } else { -1 };
    let axis = it.axis(it.int_attribute("axis").unwrap_or(default), shape.len())?;
    if !flattens || axis + 1 == shape.len() {
        return it.add(Op::Softmax { axis }, &[input]);
    }
    let (outer, inner) = shape.split_at(axis);
    let flat = vec![outer.iter().product(), inner.iter().product()];
    let rows = it.add(Op::Reshape(flat), &[input])?;
    let rows = it.add(Op::Softmax { axis: 1 }, &[rows])?;
    it.add(Op::Reshape(shape), &[rows])
}

fn reduce(it: &mut Context<'_, '_, '_>, reduction: Reduction) -> Result<ValueId, OnnxError> {
    let input = it.input(0)?;
    let shape = it.shape(input);
    let axes = match it.ints_attribute("axes") {
        Some(axes) => Some(axes),
        None => it.ints(1)?,
    };
    let mut axes = match axes {
        Some(axes) if !axes.is_empty() => axes
            .into_iter()
            .map(|axis| it.axis(axis, shape.len()))
            .collect::<Result<Vec<_>, _>>()?,
        _ if it.int_attribute("noop_with_empty_axes") == Some(1) => return Ok(input),
        _ => (0..shape.len()).collect(),
    };
    axes.sort_unstable();
    axes.dedup();
    let keeps = it.int_attribute("keepdims") != Some(0);
    let kept = shape
        .iter()
        .enumerate()
        .filter(|(i, _)| !axes.contains(i))
        .map(|(_, axis)| *axis)
        .collect();
    let reduced = it.add(Op::Reduce { reduction, axes }, &[input])?;
    if keeps {
        return Ok(reduced);
    }
    it.add(Op::Reshape(kept), &[reduced])
}
