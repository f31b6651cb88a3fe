//! What shape an operation writes, and whether it can read what it is given. Every size may come from a hostile file.

use super::op::{Conv, Op, Pool, Window};

/// Axes of a shape, at most.
const RANK_MAX: usize = 8;

/// The product of the axes; `None` if it overflows.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    // The other axes of an empty shape count too, so that no part of any shape overflows.
    let nonzero = shape.iter().map(|axis| (*axis).max(1));
    let product = nonzero.into_iter().try_fold(1_usize, usize::checked_mul)?;
    Some(if shape.contains(&0) { 0 } else { product })
}

/// Elements from one entry of each axis to the next, row-major.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    strides
}

/// The shape that two broadcast to.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let axis = |shape: &[usize], i: usize| {
        let missing = rank - shape.len();
        if i < missing { 1 } else { shape[i - missing] }
    };
    (0..rank)
        .map(|i| match (axis(a, i), axis(b, i)) {
            (a, b) if a == b => Ok(a),
            (1, b) => Ok(b),
            (a, 1) => Ok(a),
            _ => Err(format!("the shapes {a:?} and {b:?} do not fit each other")),
        })
        .collect()
}

/// The shape that `op` writes.
///
/// # Errors
/// In words, what does not fit.
pub(crate) fn output_shape(op: &Op, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    let count = match op {
        Op::Conv(conv) => 2 + usize::from(conv.bias) + usize::from(conv.residual),
        Op::Linear { bias, residual, .. } => 2 + usize::from(*bias) + usize::from(*residual),
        Op::MatMul | Op::Binary(_) => 2,
        Op::LayerNorm { .. } => inputs.len().clamp(1, 3),
        Op::Concat { .. } => inputs.len().max(1),
        _ => 1,
    };
    if inputs.len() != count {
        return Err(format!("it has {} inputs instead of {count}", inputs.len()));
    }
    if let Some(shape) = inputs.iter().find(|shape| shape.len() > RANK_MAX) {
        return Err(format!(
            "an input has {} axes, at most {RANK_MAX} are supported",
            shape.len()
        ));
    }
    let input = inputs[0];
    let shape = match op {
        Op::Conv(conv) => conv_shape(conv, inputs)?,
        Op::Pool(pool) => pool_shape(pool, input)?,
        Op::Reduce { axes, .. } => {
            check_axes(axes, input)?;
            let one = |(i, axis): (usize, &usize)| if axes.contains(&i) { 1 } else { *axis };
            input.iter().enumerate().map(one).collect()
        }
        Op::MatMul => matmul_shape(input, inputs[1])?,
        Op::Linear {
            transposed,
            bias,
            residual,
            ..
        } => linear_shape(inputs, *transposed, *bias, *residual)?,
        Op::Binary(_) => broadcast(input, inputs[1])?,
        Op::Unary(_) => input.to_vec(),
        Op::Softmax { axis } => {
            check_axes(&[*axis], input)?;
            input.to_vec()
        }
        Op::LayerNorm { axis, .. } => {
            check_axes(&[*axis], input)?;
            for parameter in &inputs[1..] {
                if *parameter != &input[*axis..] {
                    return Err(format!(
                        "a parameter has the shape {parameter:?} for {input:?}"
                    ));
                }
            }
            input.to_vec()
        }
        Op::Reshape(shape) => {
            if elements(shape) != elements(input) {
                return Err(format!("{input:?} cannot become {shape:?}"));
            }
            shape.clone()
        }
        Op::Transpose(permutation) => {
            let mut sorted = permutation.clone();
            sorted.sort_unstable();
            if sorted.iter().copied().ne(0..input.len()) {
                return Err(format!(
                    "{permutation:?} is not an order of the axes of {input:?}"
                ));
            }
            permutation.iter().map(|axis| input[*axis]).collect()
        }
        Op::Concat { axis } => concat_shape(*axis, inputs)?,
        Op::Slice(axes) => {
            if axes.len() != input.len() {
                return Err("it does not name every axis".to_owned());
            }
            for (slice, axis) in axes.iter().zip(input) {
                let last = slice.len.saturating_sub(1);
                let last = isize::try_from(last)
                    .ok()
                    .and_then(|last| last.checked_mul(slice.step));
                let last = last.and_then(|last| slice.start.checked_add_signed(last));
                if slice.len > 0 && (slice.start >= *axis || last.is_none_or(|last| last >= *axis))
                {
                    return Err(format!("it reads beyond the axes of {input:?}"));
                }
            }
            axes.iter().map(|slice| slice.len).collect()
        }
        Op::Pad { before, after, .. } => {
            if before.len() != input.len() || after.len() != input.len() {
                return Err("it does not name every axis".to_owned());
            }
            let padded = before.iter().zip(input).zip(after);
            padded
                .map(|((before, axis), after)| before.checked_add(*axis)?.checked_add(*after))
                .collect::<Option<_>>()
                .ok_or("the padding is too large")?
        }
        Op::Gather { axis, indices } => {
            check_axes(&[*axis], input)?;
            if indices.iter().any(|index| *index >= input[*axis]) {
                return Err(format!("an index is beyond the axes of {input:?}"));
            }
            let mut shape = input.to_vec();
            shape[*axis] = indices.len();
            shape
        }
        Op::Expand(shape) => {
            if broadcast(input, shape)? != *shape {
                return Err(format!("{input:?} cannot be repeated to {shape:?}"));
            }
            shape.clone()
        }
    };
    if shape.len() > RANK_MAX {
        return Err(format!(
            "it has {} axes, at most {RANK_MAX} are supported",
            shape.len()
        ));
    }
    elements(&shape).ok_or_else(|| format!("the shape {shape:?} is too large"))?;
    Ok(shape)
}

fn check_axes(axes: &[usize], input: &[usize]) -> Result<(), String> {
    if axes.iter().all(|axis| *axis < input.len()) {
        return Ok(());
    }
    Err(format!("{input:?} has no axes {axes:?}"))
}

/// Output pixels along height and width.
fn windows(window: &Window, height: usize, width: usize) -> Result<[usize; 2], String> {
    let mut out = [0; 2];
    for (i, size) in [height, width].into_iter().enumerate() {
        let unfit = || format!("its window {window:?} does not fit {height} x {width} pixels");
        let taps = window.kernel[i].checked_sub(1).ok_or_else(unfit)?;
        let reach = taps
            .checked_mul(window.dilation[i].max(1))
            .ok_or_else(unfit)?;
        let padded = window.pad_begin[i]
            .checked_add(size)
            .and_then(|it| it.checked_add(window.pad_end[i]));
        let room = padded
            .and_then(|padded| padded.checked_sub(1)?.checked_sub(reach))
            .ok_or_else(unfit)?;
        if window.stride[i] == 0
            || window.pad_begin[i] > reach
            || window.pad_end[i] > reach.saturating_add(window.stride[i])
        {
            return Err(unfit());
        }
        out[i] = room / window.stride[i] + 1;
    }
    Ok(out)
}

fn map_axes(input: &[usize]) -> Result<[usize; 3], String> {
    match *input {
        [1, channels, height, width] if channels > 0 => Ok([channels, height, width]),
        _ => Err(format!(
            "it reads {input:?} instead of one map [1, channels, height, width]"
        )),
    }
}

fn conv_shape(conv: &Conv, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    let [channels, height, width] = map_axes(inputs[0])?;
    let &[out, of_group, kernel_height, kernel_width] = inputs[1] else {
        return Err(format!(
            "its weight has the shape {:?} instead of four axes",
            inputs[1]
        ));
    };
    let groups = conv.groups;
    let fits = groups > 0
        && out > 0
        && out.is_multiple_of(groups)
        && channels.is_multiple_of(groups)
        && channels / groups == of_group
        && conv.window.kernel == [kernel_height, kernel_width];
    if !fits {
        return Err(format!(
            "its weight {:?} does not fit {channels} channels in {groups} groups",
            inputs[1]
        ));
    }
    if conv.bias && inputs[2] != [out] {
        return Err(format!(
            "its bias has the shape {:?} instead of [{out}]",
            inputs[2]
        ));
    }
    let [height, width] = windows(&conv.window, height, width)?;
    let shape = vec![1, out, height, width];
    check_residual(conv.residual, inputs, &shape)?;
    Ok(shape)
}

fn check_residual(residual: bool, inputs: &[&[usize]], shape: &[usize]) -> Result<(), String> {
    match inputs.last() {
        Some(found) if residual && *found != shape => Err(format!(
            "its residual has the shape {found:?} instead of {shape:?}"
        )),
        _ => Ok(()),
    }
}

fn pool_shape(pool: &Pool, input: &[usize]) -> Result<Vec<usize>, String> {
    let [channels, height, width] = map_axes(input)?;
    if pool.window.dilation != [1, 1] {
        return Err("a pooling with dilation is not supported".to_owned());
    }
    let [height, width] = windows(&pool.window, height, width)?;
    Ok(vec![1, channels, height, width])
}

fn matmul_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let unfit = || format!("{a:?} cannot be multiplied with {b:?}");
    let (&[.., m, k], &[.., other, n]) = (a, b) else {
        return Err(unfit());
    };
    if k != other || k == 0 {
        return Err(unfit());
    }
    let mut shape = broadcast(&a[..a.len() - 2], &b[..b.len() - 2])?;
    shape.extend([m, n]);
    Ok(shape)
}

fn linear_shape(
    inputs: &[&[usize]],
    transposed: bool,
    bias: bool,
    residual: bool,
) -> Result<Vec<usize>, String> {
    let unfit = || {
        format!(
            "{:?} cannot be multiplied with a weight {:?}",
            inputs[0], inputs[1]
        )
    };
    let (&[.., k], &[rows, columns]) = (inputs[0], inputs[1]) else {
        return Err(unfit());
    };
    let (n, depth) = if transposed {
        (columns, rows)
    } else {
        (rows, columns)
    };
    if k != depth || k == 0 || n == 0 {
        return Err(unfit());
    }
    if bias && inputs[2] != [n] {
        return Err(format!(
            "its bias has the shape {:?} instead of [{n}]",
            inputs[2]
        ));
    }
    let mut shape = inputs[0].to_vec();
    *shape.last_mut().expect("it has an axis") = n;
    check_residual(residual, inputs, &shape)?;
    Ok(shape)
}

fn concat_shape(axis: usize, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    check_axes(&[axis], inputs[0])?;
    let mut shape = inputs[0].to_vec();
    let mut total = 0_usize;
    for input in inputs {
        let same_but_axis = input.len() == shape.len()
            && (0..shape.len()).all(|i| i == axis || input[i] == shape[i]);
        if !same_but_axis {
            return Err(format!(
                "{input:?} and {:?} cannot be joined along axis {axis}",
                inputs[0]
            ));
        }
        total = total
            .checked_add(input[axis])
            .ok_or("the result is too large")?;
    }
    shape[axis] = total;
    Ok(shape)
}
