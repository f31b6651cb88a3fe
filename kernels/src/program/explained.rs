//! The last map of a network that ends with global average pooling and a linear layer: what heatmaps and feature vectors
//! are made of.

use std::sync::Arc;

use super::{Program, ProgramBuffers};
use crate::MapShape;
use crate::graph::{Graph, Node, Op, Reduction, ValueId};

/// Where the end of such a network keeps what it reads.
#[derive(Clone, Debug)]
pub(super) struct Ending<Place> {
    /// The map.
    pub(super) features: Place,
    pub(super) shape: MapShape,
    /// The mean of each channel.
    pub(super) pooled: Place,
    /// `[classes, channels]`, or `[channels, classes]` if transposed.
    weight: Arc<Vec<f32>>,
    transposed: bool,
    classes: usize,
}

/// The last map of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[height, width, channels]`.
    pub values: Vec<f32>,
}

impl<Place> Ending<Place> {
    pub(super) fn at<Other>(self, place: impl Fn(Place) -> Other) -> Ending<Other> {
        Ending {
            features: place(self.features),
            shape: self.shape,
            pooled: place(self.pooled),
            weight: self.weight,
            transposed: self.transposed,
            classes: self.classes,
        }
    }
}

impl Graph {
    /// The end of the graph, if it is pooling and a linear layer.
    pub(super) fn ending(&self) -> Option<Ending<ValueId>> {
        let maker = |value: ValueId| self.nodes.iter().find(|node| node.output == value);
        let mut linear: &Node = maker(self.output)?;
        while let Op::Reshape(_) = linear.op {
            linear = maker(linear.inputs[0])?;
        }
        let Op::Linear {
            transposed,
            residual: false,
            activation: None,
            ..
        } = linear.op
        else {
            return None;
        };
        let weight = Arc::clone(self.values[linear.inputs[1].0].data.as_ref()?);
        let mut pooled = maker(linear.inputs[0])?;
        while let Op::Reshape(_) = pooled.op {
            pooled = maker(pooled.inputs[0])?;
        }
        let is_pool = pooled.op
            == Op::Reduce {
                reduction: Reduction::Mean,
                axes: vec![2, 3],
            };
        let features = pooled.inputs[0];
        let [1, channels, height, width] = *self.values[features.0].shape else {
            return None;
        };
        let classes = weight.len() / channels;
        (is_pool && weight.len() == classes * channels).then_some(())?;
        Some(Ending {
            features,
            shape: MapShape::new(height, width, channels).ok()?,
            pooled: pooled.output,
            weight,
            transposed,
            classes,
        })
    }
}

impl Program {
    /// Whether the network ends with global average pooling and a linear layer.
    #[must_use]
    pub fn is_explainable(&self) -> bool {
        self.ending.is_some()
    }

    /// Channels of the last map. `None` unless the network ends with global average pooling and a linear layer.
    #[must_use]
    pub fn channels(&self) -> Option<usize> {
        self.ending.as_ref().map(|ending| ending.shape.channels())
    }

    /// The last map of the last run. `None` unless the network ends with global average pooling and a linear layer.
    #[must_use]
    pub fn features(&self, buffers: &ProgramBuffers) -> Option<Features> {
        let ending = self.ending.as_ref()?;
        let shape = ending.shape;
        let map = &buffers.slots[ending.features][..shape.buffer_len()];
        let pixels = map.chunks_exact(shape.channel_stride());
        Some(Features {
            height: shape.height(),
            width: shape.width(),
            values: pixels
                .flat_map(|pixel| &pixel[..shape.channels()])
                .copied()
                .collect(),
        })
    }

    /// The mean of each channel of the last map of the last run, `[channels]`. `None` unless the network ends with global
    /// average pooling and a linear layer.
    #[must_use]
    pub fn pooled<'a>(&self, buffers: &'a ProgramBuffers) -> Option<&'a [f32]> {
        let ending = self.ending.as_ref()?;
        Some(&buffers.slots[ending.pooled][..ending.shape.channels()])
    }

    /// The weights of one class, `[channels]`. `None` unless the network ends with global average pooling and a linear layer, or
    /// if there is no such class.
    #[must_use]
    pub fn class_weights(&self, class: usize) -> Option<Vec<f32>> {
        let ending = self.ending.as_ref()?;
        let channels = ending.shape.channels();
        let weight = |channel: usize| {
            let at = if ending.transposed {
                channel * ending.classes + class
            } else {
                class * channels + channel
            };
            ending.weight[at]
        };
        (class < ending.classes).then(|| (0..channels).map(weight).collect())
    }
}
