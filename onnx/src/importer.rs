//! From names and attributes to a graph.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use imageclassifier_kernels::{Graph, GraphBuilder, Op, ValueId};

use crate::OnnxError;
use crate::context::{Context, Entry, Importer};
use crate::operators;
use crate::proto::{Model, ValueInfo};

/// A classifier that was read from a file.
#[derive(Clone, Debug)]
pub struct Network {
    /// From an image `[1, 3, height, width]` to logits `[1, classes]`.
    pub graph: Graph,
    /// Whether the file's output was a softmax, which the graph lacks.
    pub had_softmax: bool,
}

const FLOAT: i64 = 1;
/// Opsets that are supported: with an older one an operator may mean something else, with a newer one it may have changed.
const OPSETS: RangeInclusive<i64> = 7..=24;

pub(crate) fn import(model: &Model<'_>, input_size: Option<usize>) -> Result<Network, OnnxError> {
    let opset = supported_opset(model.opset)?;
    let graph = &model.graph;
    let initializers: HashMap<_, _> = graph.initializers.iter().map(|it| (it.name, it)).collect();
    let mut inputs = graph
        .inputs
        .iter()
        .filter(|it| !initializers.contains_key(it.name));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        let problem =
            "the network has not exactly one input: export it with the image as its only input";
        return Err(OnnxError::layer("", problem));
    };
    let (shape, channels_last) = input_shape(input, input_size)?;
    let mut builder = GraphBuilder::new(&shape)?;
    let mut id = builder.input();
    if channels_last {
        id = builder.add(input.name, Op::Transpose(vec![0, 2, 3, 1]), &[id])?;
    }
    let mut importer = Importer {
        builder,
        initializers,
        values: HashMap::from([(input.name, Entry { id, integer: false })]),
        opset,
    };
    for node in &graph.nodes {
        operators::import(&mut Context {
            importer: &mut importer,
            node,
        })?;
    }
    let output = graph.outputs.first();
    let output = output.ok_or_else(|| OnnxError::malformed("it has no output"))?;
    let Entry { id, .. } = importer.value(output.name, output.name)?;
    let id = as_logits(&mut importer.builder, output.name, id)?;
    let graph = importer.builder.finish(id)?;
    Ok(Network {
        had_softmax: graph.ends_with_softmax(),
        graph: graph.without_softmax(),
    })
}

fn supported_opset(opset: Option<i64>) -> Result<i64, OnnxError> {
    let (first, last) = (OPSETS.start(), OPSETS.end());
    let problem = match opset {
        Some(opset) if OPSETS.contains(&opset) => return Ok(opset),
        Some(opset) if opset > *last => format!(
            "the file has opset {opset}, but at most {last} is supported: export the model with opset_version={last} or lower"
        ),
        Some(opset) => format!(
            "the file has opset {opset}, but at least {first} is needed: convert it with onnx.version_converter.convert_version(model, 17)"
        ),
        None => format!(
            "the file does not name its opset, which must be {first} to {last}: export the model again"
        ),
    };
    Err(OnnxError::layer("", problem))
}

/// `[1, 3, height, width]`, and whether the file has the channels last.
fn input_shape(
    input: &ValueInfo<'_>,
    input_size: Option<usize>,
) -> Result<([usize; 4], bool), OnnxError> {
    let error = |problem: String| Err(OnnxError::layer(input.name, problem));
    if input.element_type != FLOAT {
        return error(
            "the input is not float32: export the model with a float32 image as its input"
                .to_owned(),
        );
    }
    let &[batch, a, b, c] = input.shape.as_slice() else {
        return error(format!(
            "the input has {} axes instead of [1, 3, height, width]",
            input.shape.len()
        ));
    };
    if batch.is_some_and(|batch| batch > 1) {
        return error(
            "the network takes several images at once: export it for one, or with an open batch"
                .to_owned(),
        );
    }
    let (height, width, channels_last) = match (a, c) {
        (Some(3), _) => (b, c, false),
        (_, Some(3)) => (a, b, true),
        _ => return error("the input does not have three channels".to_owned()),
    };
    let side = |side: Option<i64>| match side.filter(|side| *side > 0) {
        Some(side) => usize::try_from(side).ok(),
        None => input_size,
    };
    match (side(height), side(width)) {
        (Some(height), Some(width)) if height == width && height <= 4096 => {
            Ok(([1, 3, height, width], channels_last))
        }
        (Some(height), Some(width)) => error(format!(
            "the input is {height} x {width} pixels: only squares of at most 4096 pixels are supported"
        )),
        _ => error("the file leaves the input's size open: give it with --input-size".to_owned()),
    }
}

/// The output as `[1, classes]`.
fn as_logits(builder: &mut GraphBuilder, name: &str, id: ValueId) -> Result<ValueId, OnnxError> {
    let shape = builder.shape(id).to_vec();
    let classes = shape.iter().product();
    let is_vector =
        shape.first() == Some(&1) && shape.iter().filter(|axis| **axis != 1).count() <= 1;
    if !is_vector || classes < 2 {
        let problem = format!(
            "the output has the shape {shape:?} instead of [1, classes]: it is not an image classifier"
        );
        return Err(OnnxError::layer(name, problem));
    }
    if shape.len() == 2 {
        return Ok(id);
    }
    Ok(builder.add(name, Op::Reshape(vec![1, classes]), &[id])?)
}
