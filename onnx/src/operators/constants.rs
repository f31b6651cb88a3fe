//! Operators that exporters use to compute shapes: their results are constants.

use imageclassifier_kernels::{Op, ValueId};

use crate::OnnxError;
use crate::context::{Context, Entry};

/// Elements that are made of nothing, at most.
const ELEMENTS_MAX: usize = 1 << 24;

/// Whether the operator is one of these.
pub(super) fn import(it: &mut Context<'_, '_, '_>) -> Result<bool, OnnxError> {
    let entry = match it.node.op_type {
        "Constant" => constant(it)?,
        "Shape" => {
            let input = it.input(0)?;
            let shape = it.shape(input);
            let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
            let end = |name, default| {
                let at = it.int_attribute(name).unwrap_or(default);
                let at = if at < 0 { at.saturating_add(rank) } else { at };
                usize::try_from(at.clamp(0, rank)).unwrap_or_default()
            };
            let (start, end) = (end("start", 0), end("end", rank));
            numbers(it, shape.get(start..end).unwrap_or_default())?
        }
        "Size" => {
            let input = it.input(0)?;
            let elements = it.shape(input).iter().product();
            let entry = numbers(it, &[elements])?;
            let id = it.add(Op::Reshape(vec![]), &[entry.id])?;
            Entry { id, integer: true }
        }
        "ConstantOfShape" => filled(it)?,
        "Range" => range(it)?,
        "ScatterND" => scatter(it)?,
        "Where" => choose(it)?,
        "Not" => compare(it, 1, |x, _| x == 0.0)?,
        "And" => compare(it, 2, |a, b| a != 0.0 && b != 0.0)?,
        "Or" => compare(it, 2, |a, b| a != 0.0 || b != 0.0)?,
        "Greater" => compare(it, 2, |a, b| a > b)?,
        "GreaterOrEqual" => compare(it, 2, |a, b| a >= b)?,
        "Less" => compare(it, 2, |a, b| a < b)?,
        "LessOrEqual" => compare(it, 2, |a, b| a <= b)?,
        _ => return Ok(false),
    };
    it.set_output(0, entry);
    Ok(true)
}

#[allow(clippy::cast_precision_loss)] // Axes beyond 2²⁴ are refused elsewhere.
fn numbers(it: &mut Context<'_, '_, '_>, numbers: &[usize]) -> Result<Entry, OnnxError> {
    let data = numbers.iter().map(|number| *number as f32).collect();
    let id = it.add_computed_constant(&[numbers.len()], data)?;
    Ok(Entry { id, integer: true })
}

#[allow(clippy::cast_precision_loss)] // As `Elements` says.
fn constant(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    if let Some(elements) = it.tensor_attribute("value")? {
        let id = it.add_constant(&elements.shape, elements.data)?;
        let integer = elements.integer;
        return Ok(Entry { id, integer });
    }
    let ints = |ints: Vec<i64>| ints.into_iter().map(|int| int as f32).collect::<Vec<_>>();
    let (shape, data, integer) = if let Some(floats) = it.floats_attribute("value_floats") {
        (vec![floats.len()], floats, false)
    } else if let Some(values) = it.ints_attribute("value_ints") {
        (vec![values.len()], ints(values), true)
    } else if let Some(value) = it.int_attribute("value_int") {
        (vec![], ints(vec![value]), true)
    } else {
        (vec![], vec![it.float_attribute("value_float", 0.0)], false)
    };
    let id = it.add_constant(&shape, data)?;
    Ok(Entry { id, integer })
}

fn filled(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    let shape = it.ints(0)?.unwrap_or_default();
    let shape: Option<Vec<usize>> = shape
        .into_iter()
        .map(|axis| usize::try_from(axis).ok())
        .collect();
    let elements = |shape: &Vec<usize>| shape.iter().try_fold(1_usize, |a, b| a.checked_mul(*b));
    let sized = shape.and_then(|shape| Some((elements(&shape)?, shape)));
    let (elements, shape) = sized
        .filter(|(elements, _)| *elements <= ELEMENTS_MAX)
        .ok_or_else(|| it.error("the shape is negative or too large"))?;
    let (value, integer) = match it.tensor_attribute("value")? {
        Some(value) => (
            value.data.first().copied().unwrap_or_default(),
            value.integer,
        ),
        None => (0.0, false),
    };
    let id = it.add_computed_constant(&shape, vec![value; elements])?;
    Ok(Entry { id, integer })
}

fn range(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    let integer = it.entry(0)?.integer;
    let mut numbers = [0.0; 3];
    for (i, number) in numbers.iter_mut().enumerate() {
        let given = it.floats(i)?.and_then(|values| values.first().copied());
        *number = given.ok_or_else(|| it.error(format!("input {i} is missing")))?;
    }
    let [start, limit, step] = numbers;
    let count = ((limit - start) / step).ceil();
    if count.is_nan() || count > 1e6 {
        return Err(it.error("the range is too long"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 10⁶
    let count = count.max(0.0) as u32;
    #[allow(clippy::cast_precision_loss)] // As above.
    let data: Vec<_> = (0..count).map(|i| start + i as f32 * step).collect();
    let id = it.add_computed_constant(&[data.len()], data)?;
    Ok(Entry { id, integer })
}

/// A constant with some of its elements or slices replaced. Exporters use it for the attention mask of Swin transformers.
fn scatter(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    if !matches!(it.text_attribute("reduction"), b"" | b"none") {
        return Err(it.error("it reduces, which is not supported"));
    }
    let entry = it.entry(0)?;
    let shape = it.shape(entry.id);
    let indices = it.input(1)?;
    let depth = it.shape(indices).last().copied().unwrap_or_default();
    if depth == 0 || depth > shape.len() {
        let rank = shape.len();
        return Err(it.error(format!(
            "its indices name {depth} axes, but the input has {rank}"
        )));
    }
    let mut data = it.floats(0)?.unwrap_or_default();
    let indices = it.ints(1)?.unwrap_or_default();
    let updates = it.floats(2)?.unwrap_or_default();
    let (outer, inner) = shape.split_at(depth);
    let slice: usize = inner.iter().product();
    if (indices.len() / depth).checked_mul(slice) != Some(updates.len()) {
        return Err(it.error("the number of updates does not match the indices"));
    }
    for (index, update) in indices
        .chunks_exact(depth)
        .zip(updates.chunks(slice.max(1)))
    {
        let mut at = 0;
        for (index, axis) in index.iter().zip(outer) {
            at = at * axis + it.axis(*index, *axis)?;
        }
        data[at * slice..][..slice].copy_from_slice(update);
    }
    let id = it.add_computed_constant(&shape, data)?;
    let integer = entry.integer;
    Ok(Entry { id, integer })
}

/// Constants, repeated so that their axes agree, and those axes.
fn broadcast(
    it: &mut Context<'_, '_, '_>,
    ids: &[ValueId],
) -> Result<(Vec<usize>, Vec<Vec<f32>>), OnnxError> {
    let mut shape = Vec::new();
    for id in ids {
        let own = it.shape(*id);
        let rank = own.len().max(shape.len());
        let padded = |shape: &[usize]| [&vec![1; rank - shape.len()], shape].concat();
        let (a, b) = (padded(&shape), padded(&own));
        shape = a
            .into_iter()
            .zip(b)
            .map(|(a, b)| if a == 1 { b } else { a })
            .collect();
    }
    let mut values = Vec::new();
    for id in ids {
        let id = it.add(Op::Expand(shape.clone()), &[*id])?;
        let constant = it.constant(id).map(|it| it.data.to_vec());
        let problem = "it depends on the image, which is not supported";
        values.push(constant.ok_or_else(|| it.error(problem))?);
    }
    Ok((shape, values))
}

fn choose(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    let entries = [it.entry(0)?, it.entry(1)?, it.entry(2)?];
    let (shape, values) = broadcast(it, &entries.map(|entry| entry.id))?;
    let chosen = (0..values[0].len()).map(|i| values[if values[0][i] != 0.0 { 1 } else { 2 }][i]);
    let id = it.add_computed_constant(&shape, chosen.collect())?;
    let integer = entries[1].integer;
    Ok(Entry { id, integer })
}

fn compare(
    it: &mut Context<'_, '_, '_>,
    inputs: usize,
    holds: fn(f32, f32) -> bool,
) -> Result<Entry, OnnxError> {
    let ids = (0..inputs)
        .map(|i| it.input(i))
        .collect::<Result<Vec<_>, _>>()?;
    let (shape, values) = broadcast(it, &ids)?;
    let last = values.len() - 1;
    let results = values[0].iter().zip(&values[last]);
    let results = results
        .map(|(a, b)| f32::from(u8::from(holds(*a, *b))))
        .collect();
    let id = it.add_computed_constant(&shape, results)?;
    Ok(Entry { id, integer: true })
}
