//! Operators on elements.

use imageclassifier_kernels::{Binary, Op, Unary, ValueId};

use crate::OnnxError;
use crate::context::{Context, Entry};

/// Whether the operator is one of these.
pub(super) fn import(it: &mut Context<'_, '_, '_>) -> Result<bool, OnnxError> {
    let entry = match it.node.op_type {
        "Add" => binary(it, Binary::Add)?,
        "Sub" => binary(it, Binary::Sub)?,
        "Mul" => binary(it, Binary::Mul)?,
        "Div" => divide(it)?,
        "Mod" => remainder(it)?,
        "Pow" => binary(it, Binary::Pow)?,
        "Min" => binary(it, Binary::Min)?,
        "Max" => binary(it, Binary::Max)?,
        "Equal" => binary(it, Binary::Equal)?,
        "Clip" => clip(it)?,
        _ => match unary(it) {
            Some(unary) => {
                let input = it.entry(0)?;
                Entry {
                    id: it.add_unary(unary, input.id)?,
                    integer: input.integer,
                }
            }
            None => return Ok(false),
        },
    };
    it.set_output(0, entry);
    Ok(true)
}

fn unary(it: &Context<'_, '_, '_>) -> Option<Unary> {
    let alpha = |default| it.float_attribute("alpha", default);
    Some(match it.node.op_type {
        "Relu" => Unary::RELU,
        "LeakyRelu" => Unary::LeakyRelu(alpha(0.01)),
        "Elu" => Unary::Elu(alpha(1.0)),
        "Sigmoid" => Unary::Sigmoid,
        "HardSigmoid" => Unary::HardSigmoid(alpha(0.2), it.float_attribute("beta", 0.5)),
        "HardSwish" => Unary::HardSwish,
        "Swish" if alpha(1.0) == 1.0 => Unary::Silu,
        "Gelu" if it.text_attribute("approximate") == b"tanh" => Unary::GeluTanh,
        "Gelu" => Unary::Gelu,
        "Tanh" => Unary::Tanh,
        "Erf" => Unary::Erf,
        "Exp" => Unary::Exp,
        "Log" => Unary::Log,
        "Sqrt" => Unary::Sqrt,
        "Reciprocal" => Unary::Reciprocal,
        "Neg" => Unary::Negate,
        "Abs" => Unary::Abs,
        "Floor" => Unary::Floor,
        _ => return None,
    })
}

fn binary(it: &mut Context<'_, '_, '_>, binary: Binary) -> Result<Entry, OnnxError> {
    let (a, b) = (it.entry(0)?, it.entry(1)?);
    let mut id = it.add(Op::Binary(binary), &[a.id, b.id])?;
    // Max and Min take any number.
    for i in 2..it.node.inputs.len() {
        let other = it.input(i)?;
        id = it.add(Op::Binary(binary), &[id, other])?;
    }
    Ok(Entry {
        id,
        integer: a.integer && b.integer,
    })
}

/// Whole numbers are divided towards 0.
fn divide(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    let entry = binary(it, Binary::Div)?;
    if !entry.integer {
        return Ok(entry);
    }
    let id = it.add_unary(Unary::Truncate, entry.id)?;
    Ok(Entry { id, integer: true })
}

/// The remainder of a division whose quotient is rounded down, or towards 0 with `fmod`.
fn remainder(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    let (a, b) = (it.entry(0)?, it.entry(1)?);
    let round = if it.int_attribute("fmod").unwrap_or(0) == 0 {
        Unary::Floor
    } else {
        Unary::Truncate
    };
    let quotient = it.add(Op::Binary(Binary::Div), &[a.id, b.id])?;
    let quotient = it.add_unary(round, quotient)?;
    let product = it.add(Op::Binary(Binary::Mul), &[quotient, b.id])?;
    Ok(Entry {
        id: it.add(Op::Binary(Binary::Sub), &[a.id, product])?,
        integer: a.integer && b.integer,
    })
}

fn clip(it: &mut Context<'_, '_, '_>) -> Result<Entry, OnnxError> {
    let input = it.entry(0)?;
    let limit = |it: &mut Context<'_, '_, '_>, i, name, default| -> Result<f32, OnnxError> {
        let given = it.floats(i)?.and_then(|values| values.first().copied());
        Ok(given.unwrap_or_else(|| it.float_attribute(name, default)))
    };
    let low = limit(it, 1, "min", f32::NEG_INFINITY)?;
    let high = limit(it, 2, "max", f32::INFINITY)?;
    let id: ValueId = it.add_unary(Unary::Clamp(low, high), input.id)?;
    Ok(Entry {
        id,
        integer: input.integer,
    })
}
