//! From the operations of a graph to the steps of a program.

use std::sync::Arc;

use super::kernel::Kernel;
use super::memory::Access;
use super::plain::Plain;
use super::relayout::{Copy, Layout, Relayout};
use super::role::Role;
use super::{Program, Source, Step, memory};
use crate::graph::{Graph, Node, Op, ValueId};
use crate::isa::Token;
use crate::scratch::ScratchLen;
use crate::shape::{CHANNEL_ALIGN, checked_len};
use crate::{BuildError, Isa, MapShape};

/// Elements of all buffers of a run, at most: 1 GiB, fifty times what large classifiers take.
const ELEMENTS_MAX: usize = 1 << 28;

/// Packed weights take at most half as much memory again as the graph's, or 4 MiB more.
const SPARE_MIN: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct PlannedStep {
    description: Description,
    kernel: Box<dyn Kernel>,
    inputs: Vec<PlannedSource>,
    output: usize,
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

impl PlannedStep {
    fn access(&self) -> Access {
        let inputs = self.inputs.iter().filter_map(|source| match source {
            PlannedSource::Value(value) => Some(*value),
            PlannedSource::Constant(_) => None,
        });
        Access {
            inputs: inputs.collect(),
            output: self.output,
        }
    }
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
    pub(super) spare: usize,
    steps: Vec<PlannedStep>,
    lengths: Vec<usize>,
    places: Vec<Places>,
}

pub(super) fn plan(isa: Isa, graph: &Graph, fuse_blocks: bool) -> Result<Program, BuildError> {
    let constants = graph.values.iter().filter_map(|value| value.data.as_ref());
    let constants = constants.map(|data| data.len());
    let mut planner = Planner {
        graph,
        token: isa.token()?.in_f32(),
        spare: (constants.sum::<usize>() / 2).max(SPARE_MIN),
        steps: Vec::new(),
        lengths: Vec::new(),
        places: vec![Places::default(); graph.values.len()],
    };
    let input_len = planner.elements(graph.input)?;
    let input = planner.new_value(input_len)?;
    planner.places[graph.input.0].rows = Some(input);
    let roles = if fuse_blocks {
        planner.roles()?
    } else {
        vec![Role::Layer; graph.nodes.len()]
    };
    for (node, role) in graph.nodes.iter().zip(&roles) {
        match role {
            Role::Layer => planner.lower(node)?,
            Role::Inside => {}
            Role::Last(block) => planner.lower_block(block)?,
        }
    }
    let output = planner.rows(graph.output)?;
    let output_len = planner.elements(graph.output)?;
    let ending = match graph.ending() {
        Some(ending) => {
            let features = planner.in_layout(ending.features, Layout::Map)?;
            let pooled = planner.rows(ending.pooled)?;
            let is_features = ending.features;
            Some(ending.at(|value| {
                if value == is_features {
                    features
                } else {
                    pooled
                }
            }))
        }
        None => None,
    };
    let Planner { steps, lengths, .. } = planner;
    let kept = ending
        .iter()
        .flat_map(|ending| [ending.features, ending.pooled]);
    let kept: Vec<_> = kept.chain([output]).collect();
    let accesses: Vec<_> = steps.iter().map(PlannedStep::access).collect();
    let memory = memory::plan(&accesses, &lengths, input, &kept);
    let slot = |value: usize| memory.slot_of[value];
    let largest = |len: fn(&dyn Kernel) -> ScratchLen| {
        let lengths = steps.iter().map(|step| len(&*step.kernel));
        lengths.fold(ScratchLen::default(), ScratchLen::max)
    };
    let (scratch_len, helper_scratch_len) = (
        largest(|kernel| kernel.scratch_len()),
        largest(|kernel| kernel.helper_scratch_len()),
    );
    let total = memory
        .slots
        .iter()
        .try_fold(0_usize, |sum, len| sum.checked_add(*len));
    if total.is_none_or(|total| total > ELEMENTS_MAX) {
        return Err(BuildError::TooLarge);
    }
    let steps = steps.into_iter().map(|step| Step {
        name: step.description.name,
        operation: step.description.operation,
        kernel: step.kernel,
        inputs: step
            .inputs
            .into_iter()
            .map(|source| match source {
                PlannedSource::Value(value) => Source::Slot(slot(value)),
                PlannedSource::Constant(data) => Source::Constant(data),
            })
            .collect(),
        output: slot(step.output),
        macs: step.description.macs,
    });
    Ok(Program {
        steps: steps.collect(),
        input: slot(input),
        output: slot(output),
        slots: memory.slots,
        scratch_len,
        helper_scratch_len,
        input_len,
        output_len,
        ending: ending.map(|ending| ending.at(slot)),
        isa,
    })
}

impl Planner<'_> {
    fn lower(&mut self, node: &Node) -> Result<(), BuildError> {
        let is_lowered = match &node.op {
            Op::Conv(conv) => self.lower_conv(node, conv)?,
            Op::Pool(pool) => self.lower_pool(node, pool)?,
            Op::Reduce { reduction, axes } => self.lower_reduce(node, *reduction, axes)?,
            Op::Linear { .. } => self.lower_linear(node)?,
            Op::MatMul => self.lower_matmul(node)?,
            Op::Unary(unary) => self.lower_unary(node, *unary)?,
            Op::Binary(binary) => self.lower_binary(node, *binary)?,
            Op::Softmax { .. } | Op::LayerNorm { .. } => self.lower_rows(node)?,
            Op::Reshape(_) => {
                let rows = self.rows(node.inputs[0])?;
                self.place(node.output, Layout::Rows, rows);
                true
            }
            Op::Transpose(permutation) => self.lower_transpose(node, permutation)?,
            Op::Concat { axis: 1 } => self.lower_concat(node)?,
            Op::Slice(axes) => self.lower_slice(node, axes)?,
            Op::Gather { axis: 1, indices } => self.lower_gather(node, indices)?,
            _ => false,
        };
        if is_lowered {
            return Ok(());
        }
        let kernel = Plain {
            op: node.op.clone(),
            input_shapes: node
                .inputs
                .iter()
                .map(|input| self.shape(*input).to_vec())
                .collect(),
            output_shape: self.shape(node.output).to_vec(),
        };
        let inputs = node
            .inputs
            .iter()
            .map(|input| self.source(*input, Layout::Rows));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        self.push(node, Box::new(kernel), inputs, Layout::Rows)
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

    fn new_value(&mut self, len: usize) -> Result<usize, BuildError> {
        let padded = len.checked_next_multiple_of(CHANNEL_ALIGN);
        self.lengths
            .push(checked_len([padded.ok_or(BuildError::TooLarge)?])?);
        Ok(self.lengths.len() - 1)
    }

    fn place(&mut self, value: ValueId, layout: Layout, at: usize) {
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

    fn in_layout(&mut self, value: ValueId, layout: Layout) -> Result<usize, BuildError> {
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
        let shape = shape.ok_or(BuildError::Unsupported("a value that is no map"))?;
        let from = other.ok_or(BuildError::Unsupported("a value that nothing writes"))?;
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
