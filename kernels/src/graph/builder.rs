//! Makes graphs: checks shapes, computes what is constant, and bounds what a graph may ask for.

use std::sync::Arc;

use super::{Graph, GraphError, Node, Op, Operand, Value, evaluate, shapes};

/// Elements of one value, at most: 512 MiB.
const ELEMENTS_MAX: usize = 1 << 27;
/// Multiply-adds of a graph, at most: minutes of a core. The largest common classifiers need 10¹¹.
const MACS_MAX: u64 = 1 << 42;
/// Operations of a graph, at most. Swin-T, written out, has about 2,000.
const NODES_MAX: usize = 50_000;
/// What constant operations may add up to, in elements, besides as much as the file's constants: a small file must not fill the
/// memory.
const FOLDED_ELEMENTS_MAX: usize = 1 << 22;
/// Multiply-adds of constant operations, at most: seconds in plain loops.
const FOLDED_MACS_MAX: u64 = 1 << 32;

/// A value of a graph that is being built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) usize);

/// A value that is known already.
#[derive(Clone, Copy, Debug)]
pub struct Constant<'a> {
    /// Its axes.
    pub shape: &'a [usize],
    /// Row-major.
    pub data: &'a [f32],
}

/// Makes a [`Graph`], operation by operation.
#[derive(Debug)]
pub struct GraphBuilder {
    values: Vec<Value>,
    nodes: Vec<Node>,
    input: ValueId,
    macs: u64,
    folded: usize,
    /// Elements of the constants that were given.
    given: usize,
}

impl GraphBuilder {
    /// Begins with the input.
    ///
    /// # Errors
    /// If the shape is empty or too large.
    pub fn new(input_shape: &[usize]) -> Result<Self, GraphError> {
        let shape = check_size(input_shape).map_err(|problem| GraphError::new("input", problem))?;
        Ok(Self {
            values: vec![Value { shape, data: None }],
            nodes: Vec::new(),
            input: ValueId(0),
            macs: 0,
            folded: 0,
            given: 0,
        })
    }

    /// The input.
    #[must_use]
    pub fn input(&self) -> ValueId {
        self.input
    }

    /// Axes of a value.
    #[must_use]
    pub fn shape(&self, value: ValueId) -> &[usize] {
        &self.values[value.0].shape
    }

    /// The value, if it does not depend on the input.
    #[must_use]
    pub fn constant(&self, value: ValueId) -> Option<Constant<'_>> {
        let Value { shape, data } = &self.values[value.0];
        let data = data.as_deref()?;
        Some(Constant { shape, data })
    }

    /// Adds a constant, row-major. It may be empty.
    ///
    /// # Errors
    /// If data and shape disagree, or the shape is too large.
    pub fn add_constant(
        &mut self,
        name: &str,
        shape: &[usize],
        data: Vec<f32>,
    ) -> Result<ValueId, GraphError> {
        self.given += data.len();
        self.push_constant(name, shape, data)
    }

    /// Adds a constant that the caller has computed from other constants, row-major. Its elements count against the same limit as
    /// those that [`add`](Self::add) computes.
    ///
    /// # Errors
    /// If data and shape disagree, or the constants together are too large.
    pub fn add_computed_constant(
        &mut self,
        name: &str,
        shape: &[usize],
        data: Vec<f32>,
    ) -> Result<ValueId, GraphError> {
        self.charge_elements(name, data.len())?;
        self.push_constant(name, shape, data)
    }

    /// Adds an operation and returns what it writes. What depends on constants alone is computed at once.
    ///
    /// # Errors
    /// If the inputs do not fit the operation, or the result is too large.
    ///
    /// # Panics
    /// If an input is not of this builder.
    pub fn add(&mut self, name: &str, op: Op, inputs: &[ValueId]) -> Result<ValueId, GraphError> {
        let error = |problem: String| GraphError::new(name, problem);
        if self.nodes.len() >= NODES_MAX {
            return Err(error(format!("there are more than {NODES_MAX} operations")));
        }
        let input_shapes: Vec<_> = inputs.iter().map(|input| self.shape(*input)).collect();
        let shape = shapes::output_shape(&op, &input_shapes).map_err(error)?;
        let macs = super::cost::macs(&op, &input_shapes, &shape);
        if !inputs.is_empty() && inputs.iter().all(|input| self.constant(*input).is_some()) {
            let elements = shapes::elements(&shape).filter(|elements| *elements <= ELEMENTS_MAX);
            let elements = elements.ok_or_else(|| error(too_large(&shape)))?;
            self.charge_elements(name, elements)?;
            // Each of them once more for every operation on constants.
            let folded = macs.and_then(|macs| macs.checked_mul(MACS_MAX / FOLDED_MACS_MAX));
            self.charge(name, folded)?;
            let data = self.fold(&op, inputs, &shape);
            return Ok(self.push_value(shape, Some(Arc::new(data))));
        }
        let shape = check_size(&shape).map_err(error)?;
        self.charge(name, macs)?;
        let output = self.push_value(shape, None);
        self.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs: inputs.to_vec(),
            output,
        });
        Ok(output)
    }

    /// The graph whose output is `output`, without what the output does not need.
    ///
    /// # Errors
    /// If the output does not depend on the input.
    pub fn finish(self, output: ValueId) -> Result<Graph, GraphError> {
        let mut graph = Graph {
            values: self.values,
            nodes: self.nodes,
            input: self.input,
            output,
        };
        graph.remove_unused();
        if graph.nodes.is_empty() || !graph.reads_input() {
            let problem = "the output does not depend on the input";
            return Err(GraphError::new("", problem));
        }
        Ok(graph)
    }

    fn push_constant(
        &mut self,
        name: &str,
        shape: &[usize],
        data: Vec<f32>,
    ) -> Result<ValueId, GraphError> {
        let elements = shapes::elements(shape).filter(|elements| *elements <= ELEMENTS_MAX);
        if elements != Some(data.len()) {
            let problem = format!(
                "the constant has {} elements, which do not fit its shape {shape:?}",
                data.len()
            );
            return Err(GraphError::new(name, problem));
        }
        Ok(self.push_value(shape.to_vec(), Some(Arc::new(data))))
    }

    /// Counts the elements of a constant that is computed.
    fn charge_elements(&mut self, name: &str, elements: usize) -> Result<(), GraphError> {
        self.folded += elements;
        if self.folded > FOLDED_ELEMENTS_MAX + self.given {
            let problem = "its constants are too large together";
            return Err(GraphError::new(name, problem.to_owned()));
        }
        Ok(())
    }

    fn fold(&self, op: &Op, inputs: &[ValueId], shape: &[usize]) -> Vec<f32> {
        if shape.contains(&0) {
            return Vec::new();
        }
        let constants = inputs.iter().filter_map(|input| self.constant(*input));
        let operands: Vec<_> = constants
            .map(|it| Operand {
                shape: it.shape,
                data: it.data,
            })
            .collect();
        evaluate(op, &operands, shape)
    }

    fn push_value(&mut self, shape: Vec<usize>, data: Option<Arc<Vec<f32>>>) -> ValueId {
        self.values.push(Value { shape, data });
        ValueId(self.values.len() - 1)
    }

    fn charge(&mut self, name: &str, macs: Option<u64>) -> Result<(), GraphError> {
        let total = macs.and_then(|macs| self.macs.checked_add(macs));
        match total.filter(|total| *total <= MACS_MAX) {
            Some(total) => {
                self.macs = total;
                Ok(())
            }
            None => Err(GraphError::new(name, "the network computes too much")),
        }
    }
}

impl Graph {
    /// Drops operations and constants that the output does not need.
    pub(super) fn remove_unused(&mut self) {
        let mut used = vec![false; self.values.len()];
        used[self.output.0] = true;
        used[self.input.0] = true;
        let mut kept: Vec<_> = std::mem::take(&mut self.nodes)
            .into_iter()
            .rev()
            .filter(|node| {
                let keep = used[node.output.0];
                if keep {
                    for input in &node.inputs {
                        used[input.0] = true;
                    }
                }
                keep
            })
            .collect();
        kept.reverse();
        self.nodes = kept;
        for (value, used) in self.values.iter_mut().zip(used) {
            if !used {
                value.data = None;
            }
        }
    }

    fn reads_input(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.any(|node| node.inputs.contains(&self.input))
    }
}

fn check_size(shape: &[usize]) -> Result<Vec<usize>, String> {
    match shapes::elements(shape) {
        Some(0) => Err(format!("the shape {shape:?} is empty")),
        Some(elements) if elements <= ELEMENTS_MAX => Ok(shape.to_vec()),
        _ => Err(too_large(shape)),
    }
}

fn too_large(shape: &[usize]) -> String {
    format!("the shape {shape:?} is too large")
}
