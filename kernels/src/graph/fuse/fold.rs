//! A constant that scales a product or is added to it becomes part of its weight and bias.

use super::super::{Binary, Graph, Node, Op, ValueId};

/// The weight, if it changes, and the bias of a product that a constant was folded into.
pub(super) struct Folded {
    pub(super) weight: Option<(Vec<usize>, Vec<f32>)>,
    pub(super) bias: Vec<f32>,
}

/// `None` if the constant differs from pixel to pixel, or the weight is not a constant.
pub(super) fn fold(
    graph: &Graph,
    product: &Node,
    constant: ValueId,
    binary: Binary,
) -> Option<Folded> {
    let weight = &graph.values[product.inputs[1].0];
    let data = weight.data.as_ref()?;
    let (outputs, channel_axis_from_end, transposed, has_bias, has_residual) = match &product.op {
        Op::Conv(conv) => (weight.shape[0], 3, false, conv.bias, conv.residual),
        Op::Linear {
            transposed,
            bias,
            residual,
            ..
        } => {
            let outputs = weight.shape[usize::from(*transposed)];
            (outputs, 1, *transposed, *bias, *residual)
        }
        _ => return None,
    };
    let constant = per_channel(graph, constant, outputs, channel_axis_from_end)?;
    let bias = if has_bias {
        graph.values[product.inputs[2].0].data.as_ref()?.to_vec()
    } else {
        vec![0.0; outputs]
    };
    let zip = |f: fn(f32, f32) -> f32| bias.iter().zip(&constant).map(|(a, b)| f(*a, *b)).collect();
    let factors: Vec<f32> = match binary {
        Binary::Add | Binary::Sub => {
            let bias = if binary == Binary::Add {
                zip(|bias, x| bias + x)
            } else {
                zip(|bias, x| bias - x)
            };
            return Some(Folded { weight: None, bias });
        }
        // The residual would have to be scaled too.
        _ if has_residual => return None,
        Binary::Mul => constant.clone(),
        Binary::Div => constant.iter().map(|x| 1.0 / x).collect(),
        Binary::Pow | Binary::Min | Binary::Max | Binary::Equal => return None,
    };
    let bias = bias
        .iter()
        .zip(&factors)
        .map(|(bias, factor)| bias * factor)
        .collect();
    let each = data.len() / outputs;
    let scaled = data.iter().enumerate().map(|(i, w)| {
        let output = if transposed { i % outputs } else { i / each };
        w * factors[output]
    });
    Some(Folded {
        weight: Some((weight.shape.clone(), scaled.collect())),
        bias,
    })
}

/// The constant as one element for each channel, if it is one or the same for all.
fn per_channel(
    graph: &Graph,
    constant: ValueId,
    channels: usize,
    from_end: usize,
) -> Option<Vec<f32>> {
    let value = &graph.values[constant.0];
    let data = value.data.as_ref()?;
    if data.len() == 1 {
        return Some(vec![data[0]; channels]);
    }
    let axis = value.shape.len().checked_sub(from_end)?;
    (value.shape[axis] == channels && data.len() == channels).then(|| data.to_vec())
}
