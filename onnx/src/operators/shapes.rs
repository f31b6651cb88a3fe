//! Operators that move elements or change axes.

use imageclassifier_kernels::{Op, SliceAxis, Unary, ValueId};

use crate::OnnxError;
use crate::context::{Context, Entry};

/// Whether the operator is one of these.
pub(super) fn import(it: &mut Context<'_, '_, '_>) -> Result<bool, OnnxError> {
    if it.node.op_type == "Split" {
        split(it)?;
        return Ok(true);
    }
    let input = match it.optional(0)? {
        Some(input) => input,
        None => return Ok(false),
    };
    let mut integer = input.integer;
    let id = match it.node.op_type {
        "Identity" | "Dropout" => input.id,
        "Cast" => {
            let to = it.int_attribute("to").unwrap_or(1);
            let was_integer =
                std::mem::replace(&mut integer, crate::tensor::Tensor::is_integer(to));
            if integer && !was_integer {
                it.add_unary(Unary::Truncate, input.id)?
            } else {
                input.id
            }
        }
        "Reshape" => reshape(it, input.id)?,
        "Flatten" => flatten(it, input.id)?,
        "Squeeze" => squeeze(it, input.id)?,
        "Unsqueeze" => unsqueeze(it, input.id)?,
        "Transpose" => transpose(it, input.id)?,
        "Concat" => {
            let inputs: Result<Vec<_>, _> =
                (0..it.node.inputs.len()).map(|i| it.input(i)).collect();
            let inputs = inputs?;
            let rank = it.shape(input.id).len();
            let axis = it.axis(it.int_attribute("axis").unwrap_or(0), rank)?;
            it.add(Op::Concat { axis }, &inputs)?
        }
        "Slice" => slice(it, input.id)?,
        "Gather" => gather(it, input.id)?,
        "Expand" => expand(it, input.id)?,
        "Pad" => pad(it, input.id)?,
        _ => return Ok(false),
    };
    it.set_output(0, Entry { id, integer });
    Ok(true)
}

/// An attribute of older versions, an input of newer ones.
fn ints(
    it: &mut Context<'_, '_, '_>,
    attribute: &str,
    input: usize,
) -> Result<Option<Vec<i64>>, OnnxError> {
    match it.ints_attribute(attribute) {
        Some(ints) => Ok(Some(ints)),
        None => it.ints(input),
    }
}

fn required(
    it: &mut Context<'_, '_, '_>,
    attribute: &str,
    input: usize,
) -> Result<Vec<i64>, OnnxError> {
    let ints = ints(it, attribute, input)?;
    ints.ok_or_else(|| it.error(format!("{attribute} is missing")))
}

fn size(it: &Context<'_, '_, '_>, size: i64) -> Result<usize, OnnxError> {
    usize::try_from(size).map_err(|_| it.error(format!("a size is {size}")))
}

fn reshape(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let from = it.shape(input);
    let wanted = required(it, "shape", 1)?;
    let copies_axes = it.int_attribute("allowzero") != Some(1);
    let mut shape = Vec::new();
    for (i, axis) in wanted.iter().enumerate() {
        shape.push(match axis {
            -1 => 1,
            0 if copies_axes => *from
                .get(i)
                .ok_or_else(|| it.error(format!("{from:?} cannot become {wanted:?}")))?,
            axis => size(it, *axis)?,
        });
    }
    if let Some(open) = wanted.iter().position(|axis| *axis == -1) {
        let known = shape
            .iter()
            .try_fold(1_usize, |a, b| a.checked_mul(*b))
            .unwrap_or_default();
        let elements: usize = from.iter().product();
        shape[open] = elements.checked_div(known).unwrap_or_default();
    }
    it.add(Op::Reshape(shape), &[input])
}

fn flatten(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let shape = it.shape(input);
    let axis = it.int_attribute("axis").unwrap_or(1);
    // One more than the last axis is allowed.
    let axis = it.axis(axis, shape.len() + usize::from(axis >= 0))?;
    let (outer, inner) = shape.split_at(axis);
    it.add(
        Op::Reshape(vec![outer.iter().product(), inner.iter().product()]),
        &[input],
    )
}

fn squeeze(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let shape = it.shape(input);
    let removed = match ints(it, "axes", 1)? {
        Some(axes) => axes
            .into_iter()
            .map(|axis| it.axis(axis, shape.len()))
            .collect::<Result<Vec<_>, _>>()?,
        None => (0..shape.len()).filter(|i| shape[*i] == 1).collect(),
    };
    let kept = shape
        .iter()
        .enumerate()
        .filter(|(i, _)| !removed.contains(i))
        .map(|(_, axis)| *axis);
    it.add(Op::Reshape(kept.collect()), &[input])
}

fn unsqueeze(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let shape = it.shape(input);
    let axes = required(it, "axes", 1)?;
    let rank = shape.len() + axes.len();
    let added = axes
        .into_iter()
        .map(|axis| it.axis(axis, rank))
        .collect::<Result<Vec<_>, _>>()?;
    let mut kept = shape.iter().copied();
    let axes = (0..rank).map(|i| {
        if added.contains(&i) {
            1
        } else {
            kept.next().unwrap_or(1)
        }
    });
    it.add(Op::Reshape(axes.collect()), &[input])
}

fn transpose(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let rank = it.shape(input).len();
    let permutation = match it.ints_attribute("perm") {
        Some(axes) => axes
            .into_iter()
            .map(|axis| it.axis(axis, rank))
            .collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).rev().collect(),
    };
    it.add(Op::Transpose(permutation), &[input])
}

/// Every entry of every axis of `shape`.
fn whole(shape: &[usize]) -> Vec<SliceAxis> {
    let whole = |len: &usize| SliceAxis {
        start: 0,
        step: 1,
        len: *len,
    };
    shape.iter().map(whole).collect()
}

fn slice(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let shape = it.shape(input);
    let starts = required(it, "starts", 1)?;
    let ends = required(it, "ends", 2)?;
    let all = i64::try_from(starts.len()).unwrap_or_default();
    let axes = ints(it, "axes", 3)?.unwrap_or_else(|| (0..all).collect());
    let steps = it.ints(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(it.error("starts, ends, axes and steps have different lengths"));
    }
    let mut slices = whole(&shape);
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = it.axis(axis, shape.len())?;
        let len = i64::try_from(shape[axis]).unwrap_or(i64::MAX);
        let count = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
        let (start, end) = (count(start), count(end));
        let (start, entries) = match step {
            1.. => {
                let (start, end) = (start.clamp(0, len), end.clamp(0, len));
                (start, (end - start).max(0).saturating_add(step - 1) / step)
            }
            0 => return Err(it.error("a step is 0")),
            _ => {
                let (start, end) = (start.clamp(0, (len - 1).max(0)), end.clamp(-1, len));
                let back = step.checked_neg().unwrap_or(i64::MAX);
                (start, (start - end).max(0).saturating_add(back - 1) / back)
            }
        };
        slices[axis] = SliceAxis {
            start: size(it, start)?,
            step: isize::try_from(step).map_err(|_| it.error("a step is too large"))?,
            len: size(it, entries)?,
        };
    }
    it.add(Op::Slice(slices), &[input])
}

fn split(it: &mut Context<'_, '_, '_>) -> Result<(), OnnxError> {
    let input = it.entry(0)?;
    let shape = it.shape(input.id);
    let axis = it.axis(it.int_attribute("axis").unwrap_or(0), shape.len())?;
    let outputs = it.node.outputs.len().max(1);
    let parts = match ints(it, "split", 1)? {
        Some(parts) => parts
            .into_iter()
            .map(|part| size(it, part))
            .collect::<Result<Vec<_>, _>>()?,
        None => {
            let each = shape[axis].div_ceil(outputs);
            (0..outputs)
                .map(|i| each.min(shape[axis].saturating_sub(i * each)))
                .collect()
        }
    };
    let mut start = 0_usize;
    for (i, len) in parts.into_iter().enumerate().take(outputs) {
        let mut slices = whole(&shape);
        slices[axis] = SliceAxis {
            start,
            step: 1,
            len,
        };
        let id = it.add(Op::Slice(slices), &[input.id])?;
        let integer = input.integer;
        it.set_output(i, Entry { id, integer });
        start = start.saturating_add(len);
    }
    Ok(())
}

fn gather(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let shape = it.shape(input);
    let axis = it.axis(it.int_attribute("axis").unwrap_or(0), shape.len())?;
    let index_id = it.input(1)?;
    let index_shape = it.shape(index_id);
    let indices = it.ints(1)?.unwrap_or_default();
    let indices = indices
        .into_iter()
        .map(|index| it.axis(index, shape[axis]))
        .collect::<Result<Vec<_>, _>>()?;
    let gathered = it.add(Op::Gather { axis, indices }, &[input])?;
    if index_shape.len() == 1 {
        return Ok(gathered);
    }
    let shape = [&shape[..axis], &index_shape, &shape[axis + 1..]].concat();
    it.add(Op::Reshape(shape), &[gathered])
}

fn expand(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let from = it.shape(input);
    let wanted = it.ints(1)?.unwrap_or_default();
    let mut shape = wanted
        .into_iter()
        .map(|axis| size(it, axis))
        .collect::<Result<Vec<_>, _>>()?;
    // The shape may itself have axes of 1 where the input is longer.
    for (axis, own) in shape.iter_mut().rev().zip(from.iter().rev()) {
        if *axis == 1 {
            *axis = *own;
        }
    }
    if shape.len() < from.len() {
        shape = [&from[..from.len() - shape.len()], &shape].concat();
    }
    it.add(Op::Expand(shape), &[input])
}

fn pad(it: &mut Context<'_, '_, '_>, input: ValueId) -> Result<ValueId, OnnxError> {
    let rank = it.shape(input).len();
    if !matches!(it.text_attribute("mode"), b"" | b"constant") {
        return Err(it.error("only padding with a constant is supported"));
    }
    let pads = required(it, "pads", 1)?;
    let given = it.floats(2)?.and_then(|values| values.first().copied());
    let value = given.unwrap_or_else(|| it.float_attribute("value", 0.0));
    let pads = pads
        .into_iter()
        .map(|pad| size(it, pad))
        .collect::<Result<Vec<_>, _>>()?;
    if pads.len() != 2 * rank || it.optional(3)?.is_some() {
        return Err(it.error("pads does not name both sides of every axis"));
    }
    let (before, after) = pads.split_at(rank);
    if pads.iter().all(|pad| *pad == 0) {
        return Ok(input);
    }
    let op = Op::Pad {
        before: before.to_vec(),
        after: after.to_vec(),
        value,
    };
    it.add(op, &[input])
}
