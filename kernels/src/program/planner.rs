//! What is known while a graph is lowered: the steps so far, and where each value is.

use std::sync::Arc;

use super::kernel::Kernel;
use super::relayout::{Copy, Layout, Relayout};
use crate::graph::{Graph, Node, ValueId};
use crate::isa::Token;
use crate::shape::{CHANNEL_ALIGN, checked_len};
use crate::{BuildError, MapShape};

/// Packed weights take at most half as much memory again as the graph's, or 4 MiB more.
const EXTRA_WEIGHTS_MIN: usize = 1 << 20;

/// A step, before buffers are planned.
#[derive(Debug)]
pub(super) struct PlannedStep {
    pub(super) description: Description,
    pub(super) kernel: Box<dyn Kernel>,
    pub(super) inputs: Vec<PlannedSource>,
    pub(super) output: usize,
}

/// A step, for people.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) name: String,
    pub(super) operation: String,
    pub(super) macs: u64,
}

impl Description {
    /// A step that moves what other steps compute.
    fn copy(operation: &str) -> Self {
        Self {
            name: String::new(),
            operation: operation.to_owned(),
            macs: 0,
        }
    }
}

/// What a step reads, before buffers are planned.
#[derive(Clone, Debug)]
pub(super) enum PlannedSource {
    Value(usize),
    Constant(Arc<Vec<f32>>),
}

/// In which layouts a value is there.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    rows: Option<usize>,
    map: Option<usize>,
}

pub(super) struct Planner<'a> {
    pub(super) graph: &'a Graph,
    pub(super) token: Token,
    /// Elements that all packed weights may still take beyond the graph's own.
    pub(super) extra_weights_budget: usize,
    pub(super) steps: Vec<PlannedStep>,
    /// Elements of each value that a step reads or writes.
    pub(super) lengths: Vec<usize>,
    places: Vec<Places>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(graph: &'a Graph, token: Token) -> Self {
        let constants = graph.values.iter().filter_map(|value| value.data.as_ref());
        let constants = constants.map(|data| data.len());
        Self {
            graph,
            token,
            extra_weights_budget: (constants.sum::<usize>() / 2).max(EXTRA_WEIGHTS_MIN),
            steps: Vec::new(),
            lengths: Vec::new(),
            places: vec![Places::default(); graph.values.len()],
        }
    }

    pub(super) fn shape(&self, value: ValueId) -> &[usize] {
        &self.graph.values[value.0].shape
    }

    pub(super) fn elements(&self, value: ValueId) -> Result<usize, BuildError> {
        let mut shape = self.shape(value).iter();
        shape.try_fold(1, |len, axis| checked_len([len, *axis]))
    }

    /// The data of a constant.
    pub(super) fn constant(&self, value: ValueId) -> Option<&Arc<Vec<f32>>> {
        self.graph.values[value.0].data.as_ref()
    }

    /// The value as a map, if its axes are `[1, channels, height, width]`.
    pub(super) fn map_shape(&self, value: ValueId) -> Result<Option<MapShape>, BuildError> {
        match *self.shape(value) {
            [1, channels, height, width] => MapShape::new(height, width, channels).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether the value is there as a map and not row-major.
    pub(super) fn is_map(&self, value: ValueId) -> bool {
        self.places[value.0].map.is_some() && self.places[value.0].rows.is_none()
    }

    /// The error for what cannot happen in a checked graph. It names the layer that writes the value, or else the first that
    /// reads it.
    pub(super) fn bug(&self, value: ValueId, problem: &'static str) -> BuildError {
        let mut nodes = self.graph.nodes.iter();
        let layer = nodes.find(|node| node.output == value || node.inputs.contains(&value));
        let layer = layer.map_or("", |node| &node.name);
        BuildError::Planner {
            layer: layer.chars().take(100).collect(),
            problem,
        }
    }

    /// Adds the graph's input, row-major.
    pub(super) fn add_input(&mut self) -> Result<usize, BuildError> {
        let input = self.graph.input;
        let at = self.new_value(self.elements(input)?)?;
        self.places[input.0].rows = Some(at);
        Ok(at)
    }

    fn new_value(&mut self, len: usize) -> Result<usize, BuildError> {
        let padded = len.checked_next_multiple_of(CHANNEL_ALIGN);
        self.lengths
            .push(checked_len([padded.ok_or(BuildError::TooLarge)?])?);
        Ok(self.lengths.len() - 1)
    }

    pub(super) fn place(&mut self, value: ValueId, layout: Layout, at: usize) {
        let places = &mut self.places[value.0];
        match layout {
            Layout::Rows => places.rows = Some(at),
            Layout::Map => places.map = Some(at),
        }
        // One pixel is the same in both layouts: buffers are padded to whole cache lines.
        if let [1, _, 1, 1] = *self.shape(value) {
            self.places[value.0] = Places {
                rows: Some(at),
                map: Some(at),
            };
        }
    }

    /// The row-major value, from its map if need be.
    pub(super) fn rows(&mut self, value: ValueId) -> Result<usize, BuildError> {
        self.in_layout(value, Layout::Rows)
    }

    /// The value in a layout, from the other if need be.
    pub(super) fn in_layout(
        &mut self,
        value: ValueId,
        layout: Layout,
    ) -> Result<usize, BuildError> {
        let places = self.places[value.0];
        let (wanted, other) = match layout {
            Layout::Rows => (places.rows, places.map),
            Layout::Map => (places.map, places.rows),
        };
        if let Some(at) = wanted {
            return Ok(at);
        }
        if let (None, Some(data)) = (other, self.constant(value)) {
            // Only where a constant is the graph's output or is reshaped: rare, and small.
            let data = Arc::clone(data);
            let at = self.new_value(data.len())?;
            self.steps.push(PlannedStep {
                description: Description::copy("constant"),
                kernel: Box::new(Copy),
                inputs: vec![PlannedSource::Constant(data)],
                output: at,
            });
            self.place(value, Layout::Rows, at);
            return self.in_layout(value, layout);
        }
        let shape = self.map_shape(value)?;
        let shape = shape.ok_or_else(|| self.bug(value, "a value that is not a map"))?;
        let from = other.ok_or_else(|| self.bug(value, "a value that no step writes"))?;
        let at = self.new_value(match layout {
            Layout::Rows => shape.pixels() * shape.channels(),
            Layout::Map => shape.buffer_len(),
        })?;
        self.steps.push(PlannedStep {
            description: Description::copy("layout"),
            kernel: Box::new(Relayout { shape, to: layout }),
            inputs: vec![PlannedSource::Value(from)],
            output: at,
        });
        self.place(value, layout, at);
        Ok(at)
    }

    /// A value, or a constant, which is row-major.
    pub(super) fn source(
        &mut self,
        value: ValueId,
        layout: Layout,
    ) -> Result<PlannedSource, BuildError> {
        match self.constant(value) {
            Some(data) if layout == Layout::Rows => Ok(PlannedSource::Constant(Arc::clone(data))),
            _ => self.in_layout(value, layout).map(PlannedSource::Value),
        }
    }

    /// Adds a step that writes the node's output.
    pub(super) fn push(
        &mut self,
        node: &Node,
        kernel: Box<dyn Kernel>,
        inputs: Vec<PlannedSource>,
        layout: Layout,
    ) -> Result<(), BuildError> {
        let description = Description {
            name: node.name.clone(),
            operation: node.op.describe(),
            macs: self.graph.macs(node),
        };
        self.push_described(description, node.output, kernel, inputs, layout)
    }

    /// Adds a step that writes `value`.
    pub(super) fn push_described(
        &mut self,
        description: Description,
        value: ValueId,
        kernel: Box<dyn Kernel>,
        inputs: Vec<PlannedSource>,
        layout: Layout,
    ) -> Result<(), BuildError> {
        let len = match (layout, self.map_shape(value)?) {
            (Layout::Map, Some(shape)) => shape.buffer_len(),
            _ => self.elements(value)?,
        };
        let output = self.new_value(len)?;
        self.steps.push(PlannedStep {
            description,
            kernel,
            inputs,
            output,
        });
        self.place(value, layout, output);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Value;
    use crate::{GraphBuilder, Isa, Op, Program, Unary, ValueId};

    #[test]
    fn errors_name_the_layer_and_ask_for_a_report() {
        let mut builder = GraphBuilder::new(&[1, 3, 4, 4]).unwrap();
        let input = builder.input();
        let output = builder.add("first", Op::Unary(Unary::Sqrt), &[input]);
        let mut graph = builder.finish(output.unwrap()).unwrap();
        // No builder makes such a graph.
        let (shape, data) = (vec![1, 3, 4, 4], None);
        graph.nodes[0].inputs = vec![ValueId(graph.values.len())];
        graph.values.push(Value { shape, data });
        let error = Program::layer_by_layer(Isa::Scalar, graph).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layer \"first\": the planner finds a value that no step writes, which is a bug of imageclassifier: \
             report it together with the model"
        );
    }
}
