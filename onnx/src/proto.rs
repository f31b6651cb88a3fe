//! The messages of ONNX, as far as classifiers use them. Field numbers are those of `onnx.proto3`.

use crate::OnnxError;
use crate::tensor::Tensor;
use crate::wire::{Message, parse_entry, push};

/// Entries of a list, at most: far beyond any classifier, and small in memory.
const NODES_MAX: usize = 50_000;
const ENTRIES_MAX: usize = 4096;

/// A file.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    pub(crate) graph: Graph<'a>,
    /// The opset of the standard operators, if the file names one.
    pub(crate) opset: Option<i64>,
    metadata: Vec<(&'a str, &'a str)>,
    producer: &'a str,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Graph<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) initializers: Vec<Tensor<'a>>,
    pub(crate) inputs: Vec<ValueInfo<'a>>,
    pub(crate) outputs: Vec<ValueInfo<'a>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Node<'a> {
    pub(crate) name: &'a str,
    pub(crate) op_type: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) inputs: Vec<&'a str>,
    pub(crate) outputs: Vec<&'a str>,
    pub(crate) attributes: Vec<Attribute<'a>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) float: Option<f32>,
    pub(crate) int: Option<i64>,
    pub(crate) text: &'a [u8],
    pub(crate) tensor: Option<Tensor<'a>>,
    pub(crate) floats: Vec<f32>,
    pub(crate) ints: Vec<i64>,
}

/// A named input or output of the graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueInfo<'a> {
    pub(crate) name: &'a str,
    pub(crate) element_type: i64,
    /// `None` for an axis whose length is open.
    pub(crate) shape: Vec<Option<i64>>,
}

impl<'a> Model<'a> {
    /// Reads the file.
    ///
    /// # Errors
    /// [`OnnxError::Malformed`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OnnxError> {
        let mut model = Self {
            graph: Graph::default(),
            opset: None,
            metadata: Vec::new(),
            producer: "",
        };
        Message(bytes).read(|number, field| {
            match number {
                2 => model.producer = field.text()?,
                7 => model.graph = Graph::parse(field.message()?)?,
                8 => {
                    let (domain, version) = parse_opset(field.message()?)?;
                    if domain.is_empty() || domain == "ai.onnx" {
                        model.opset = Some(version);
                    }
                }
                14 => push(
                    &mut model.metadata,
                    parse_entry(field.message()?)?,
                    ENTRIES_MAX,
                )?,
                _ => {}
            }
            Ok(())
        })?;
        if model.graph.nodes.is_empty() {
            return Err(OnnxError::malformed("it has no operations"));
        }
        Ok(model)
    }

    /// What the exporter wrote beside the graph, as keys and values.
    #[must_use]
    pub fn metadata(&self) -> &[(&'a str, &'a str)] {
        &self.metadata
    }

    /// Whether weights are in other files.
    #[must_use]
    pub fn has_external_data(&self) -> bool {
        self.graph.initializers.iter().any(|it| it.is_external)
    }

    /// The program that wrote the file.
    #[must_use]
    pub fn producer(&self) -> &'a str {
        self.producer
    }
}

fn parse_opset(message: Message<'_>) -> Result<(&str, i64), OnnxError> {
    let (mut domain, mut version) = ("", 0);
    message.read(|number, field| {
        match number {
            1 => domain = field.text()?,
            2 => version = field.int()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((domain, version))
}

impl<'a> Graph<'a> {
    fn parse(message: Message<'a>) -> Result<Self, OnnxError> {
        let mut graph = Self::default();
        message.read(|number, field| match number {
            1 => push(&mut graph.nodes, Node::parse(field.message()?)?, NODES_MAX),
            5 => push(
                &mut graph.initializers,
                Tensor::parse(field.message()?)?,
                NODES_MAX,
            ),
            11 => push(
                &mut graph.inputs,
                ValueInfo::parse(field.message()?)?,
                NODES_MAX,
            ),
            12 => push(
                &mut graph.outputs,
                ValueInfo::parse(field.message()?)?,
                ENTRIES_MAX,
            ),
            _ => Ok(()),
        })?;
        Ok(graph)
    }
}

impl<'a> Node<'a> {
    fn parse(message: Message<'a>) -> Result<Self, OnnxError> {
        let mut node = Self::default();
        message.read(|number, field| {
            match number {
                1 => push(&mut node.inputs, field.text()?, ENTRIES_MAX)?,
                2 => push(&mut node.outputs, field.text()?, ENTRIES_MAX)?,
                3 => node.name = field.text()?,
                4 => node.op_type = field.text()?,
                5 => push(
                    &mut node.attributes,
                    Attribute::parse(field.message()?)?,
                    64,
                )?,
                7 => node.domain = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }

    /// What to call it in messages: exporters may leave out the name.
    pub(crate) fn label(&self) -> &'a str {
        if self.name.is_empty() {
            self.outputs.first().copied().unwrap_or_default()
        } else {
            self.name
        }
    }
}

impl<'a> Attribute<'a> {
    fn parse(message: Message<'a>) -> Result<Self, OnnxError> {
        let mut attribute = Self::default();
        message.read(|number, field| {
            match number {
                1 => attribute.name = field.text()?,
                2 => attribute.float = Some(field.float()?),
                3 => attribute.int = Some(field.int()?),
                4 => attribute.text = field.bytes()?,
                5 => attribute.tensor = Some(Tensor::parse(field.message()?)?),
                7 => field.push_floats(&mut attribute.floats)?,
                8 => field.push_ints(&mut attribute.ints)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(attribute)
    }
}

impl<'a> ValueInfo<'a> {
    fn parse(message: Message<'a>) -> Result<Self, OnnxError> {
        let mut info = Self::default();
        message.read(|number, field| {
            match number {
                1 => info.name = field.text()?,
                // type.tensor_type
                2 => field.message()?.read(|number, field| match number {
                    1 => info.parse_tensor_type(field.message()?),
                    _ => Ok(()),
                })?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(info)
    }

    fn parse_tensor_type(&mut self, message: Message<'a>) -> Result<(), OnnxError> {
        message.read(|number, field| match number {
            1 => {
                self.element_type = field.int()?;
                Ok(())
            }
            // shape.dim
            2 => field.message()?.read(|number, field| match number {
                1 => {
                    let mut length = None;
                    field.message()?.read(|number, field| {
                        if number == 1 {
                            length = Some(field.int()?);
                        }
                        Ok(())
                    })?;
                    push(&mut self.shape, length, 16)
                }
                _ => Ok(()),
            }),
            _ => Ok(()),
        })
    }
}
