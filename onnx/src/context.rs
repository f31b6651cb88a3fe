//! What an operator is resolved with: the values before it, its inputs and attributes.

use std::collections::HashMap;

use imageclassifier_kernels::{Constant, GraphBuilder, Op, Unary, ValueId};

use crate::OnnxError;
use crate::proto::{Attribute, Node};
use crate::tensor::{Elements, Tensor};

/// A value of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: ValueId,
    /// Whether the file computes with whole numbers here.
    pub(crate) integer: bool,
}

pub(crate) struct Importer<'a, 'm> {
    pub(crate) builder: GraphBuilder,
    pub(crate) initializers: HashMap<&'a str, &'m Tensor<'a>>,
    pub(crate) values: HashMap<&'a str, Entry>,
    /// The opset of the standard operators.
    pub(crate) opset: i64,
}

impl<'a> Importer<'a, '_> {
    pub(crate) fn value(&mut self, name: &'a str, layer: &str) -> Result<Entry, OnnxError> {
        if let Some(entry) = self.values.get(name) {
            return Ok(*entry);
        }
        let tensor = self.initializers.get(name);
        let tensor = tensor.ok_or_else(|| {
            let name: String = name.chars().take(100).collect();
            OnnxError::layer(
                layer,
                format!("it reads {name:?}, which nothing before it writes"),
            )
        })?;
        let entry = add_elements(&mut self.builder, name, tensor.elements()?)?;
        self.values.insert(name, entry);
        Ok(entry)
    }
}

fn add_elements(
    builder: &mut GraphBuilder,
    name: &str,
    elements: Elements,
) -> Result<Entry, OnnxError> {
    Ok(Entry {
        id: builder.add_constant(name, &elements.shape, elements.data)?,
        integer: elements.integer,
    })
}

/// One operator of the file, with what it needs to become operations of the graph.
pub(crate) struct Context<'c, 'a, 'm> {
    pub(crate) importer: &'c mut Importer<'a, 'm>,
    pub(crate) node: &'m Node<'a>,
}

impl<'a> Context<'_, 'a, '_> {
    pub(crate) fn error(&self, problem: impl Into<String>) -> OnnxError {
        OnnxError::layer(self.node.label(), problem)
    }

    pub(crate) fn opset(&self) -> i64 {
        self.importer.opset
    }

    /// Input `i`, if there is one.
    pub(crate) fn optional(&mut self, i: usize) -> Result<Option<Entry>, OnnxError> {
        match self.node.inputs.get(i).filter(|name| !name.is_empty()) {
            Some(name) => self.importer.value(name, self.node.label()).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn entry(&mut self, i: usize) -> Result<Entry, OnnxError> {
        let entry = self.optional(i)?;
        entry.ok_or_else(|| self.error(format!("input {i} is missing")))
    }

    pub(crate) fn input(&mut self, i: usize) -> Result<ValueId, OnnxError> {
        self.entry(i).map(|entry| entry.id)
    }

    pub(crate) fn shape(&self, id: ValueId) -> Vec<usize> {
        self.importer.builder.shape(id).to_vec()
    }

    pub(crate) fn constant(&self, id: ValueId) -> Option<Constant<'_>> {
        self.importer.builder.constant(id)
    }

    /// The elements of a constant input.
    pub(crate) fn floats(&mut self, i: usize) -> Result<Option<Vec<f32>>, OnnxError> {
        let Some(entry) = self.optional(i)? else {
            return Ok(None);
        };
        match self.constant(entry.id) {
            Some(constant) => Ok(Some(constant.data.to_vec())),
            None => Err(self.error(format!(
                "input {i} depends on the image, which is not supported"
            ))),
        }
    }

    /// As [`floats`](Self::floats), as integers.
    #[allow(clippy::cast_possible_truncation)] // Saturates.
    pub(crate) fn ints(&mut self, i: usize) -> Result<Option<Vec<i64>>, OnnxError> {
        let floats = self.floats(i)?;
        Ok(floats.map(|it| it.into_iter().map(|x| x as i64).collect()))
    }

    fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.node.attributes.iter().find(|it| it.name == name)
    }

    pub(crate) fn int_attribute(&self, name: &str) -> Option<i64> {
        self.attribute(name)?.int
    }

    pub(crate) fn float_attribute(&self, name: &str, default: f32) -> f32 {
        self.attribute(name)
            .and_then(|it| it.float)
            .unwrap_or(default)
    }

    pub(crate) fn ints_attribute(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|it| it.ints.clone())
    }

    pub(crate) fn floats_attribute(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name).map(|it| it.floats.clone())
    }

    pub(crate) fn text_attribute(&self, name: &str) -> &'a [u8] {
        self.attribute(name).map_or(&[], |it| it.text)
    }

    pub(crate) fn tensor_attribute(&self, name: &str) -> Result<Option<Elements>, OnnxError> {
        let tensor = self.attribute(name).and_then(|it| it.tensor.as_ref());
        tensor.map(Tensor::elements).transpose()
    }

    pub(crate) fn add(&mut self, op: Op, inputs: &[ValueId]) -> Result<ValueId, OnnxError> {
        let name = self.node.label();
        Ok(self.importer.builder.add(name, op, inputs)?)
    }

    pub(crate) fn add_unary(&mut self, unary: Unary, input: ValueId) -> Result<ValueId, OnnxError> {
        self.add(Op::Unary(unary), &[input])
    }

    pub(crate) fn add_constant(
        &mut self,
        shape: &[usize],
        data: Vec<f32>,
    ) -> Result<ValueId, OnnxError> {
        let name = self.node.label();
        Ok(self.importer.builder.add_constant(name, shape, data)?)
    }

    /// Adds a constant that is computed from others, and counts it against the limit for such constants.
    pub(crate) fn add_computed_constant(
        &mut self,
        shape: &[usize],
        data: Vec<f32>,
    ) -> Result<ValueId, OnnxError> {
        let (builder, name) = (&mut self.importer.builder, self.node.label());
        Ok(builder.add_computed_constant(name, shape, data)?)
    }

    /// Says what the first output is.
    pub(crate) fn set(&mut self, id: ValueId) {
        self.set_output(0, Entry { id, integer: false });
    }

    pub(crate) fn set_output(&mut self, i: usize, entry: Entry) {
        if let Some(name) = self.node.outputs.get(i).filter(|name| !name.is_empty()) {
            self.importer.values.insert(name, entry);
        }
    }

    /// Counts a negative axis from the end.
    pub(crate) fn axis(&self, axis: i64, rank: usize) -> Result<usize, OnnxError> {
        let signed = i64::try_from(rank).unwrap_or(i64::MAX);
        let counted = if axis < 0 {
            axis.saturating_add(signed)
        } else {
            axis
        };
        usize::try_from(counted)
            .ok()
            .filter(|axis| *axis < rank)
            .ok_or_else(|| self.error(format!("there is no axis {axis} among {rank}")))
    }
}
