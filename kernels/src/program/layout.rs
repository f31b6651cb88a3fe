//! Steps that move elements of maps, or between layouts.

use super::kernel::Kernel;
use super::planner::{PlannedSource, Planner};
use super::relayout::Layout;
use crate::graph::{Node, SliceAxis};
use crate::scratch::Scratch;
use crate::team::split;
use crate::{BuildError, MapShape, ThreadTeam};

/// Some channels of some maps, one after the other.
#[derive(Debug)]
struct Channels {
    /// For each input: elements from one pixel to the next, and the channels that are copied.
    parts: Vec<(usize, Part)>,
    output: MapShape,
}

#[derive(Debug)]
enum Part {
    /// From the first on.
    Range {
        first: usize,
        len: usize,
    },
    Any(Vec<usize>),
}

impl Kernel for Channels {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let stride = self.output.channel_stride();
        let shares = || team.shares(self.output.pixels());
        let pieces = split(output, shares().map(|share| share.len() * stride));
        team.for_each(shares().zip(pieces), |(share, output)| {
            for (pixel, output) in share.zip(output.chunks_exact_mut(stride)) {
                let mut at = 0;
                for ((stride, part), input) in self.parts.iter().zip(inputs) {
                    let input = &input[pixel * stride..];
                    match part {
                        Part::Range { first, len } => {
                            output[at..at + len].copy_from_slice(&input[*first..][..*len]);
                            at += len;
                        }
                        Part::Any(indices) => {
                            for (to, index) in output[at..].iter_mut().zip(indices) {
                                *to = input[*index];
                            }
                            at += indices.len();
                        }
                    }
                }
            }
        });
    }
}

/// A map as rows of channels, `[1, height, width, channels]`, or back.
#[derive(Debug)]
struct Pixels {
    shape: MapShape,
    to: Layout,
}

impl Kernel for Pixels {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn run(&self, _: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let (channels, stride) = (self.shape.channels(), self.shape.channel_stride());
        let (from, to) = match self.to {
            Layout::Rows => (stride, channels),
            Layout::Map => (channels, stride),
        };
        let pixels = output.chunks_mut(to).zip(inputs[0].chunks(from));
        for (output, input) in pixels.take(self.shape.pixels()) {
            output[..channels].copy_from_slice(&input[..channels]);
        }
    }
}

impl Planner<'_> {
    /// Between `[1, channels, height, width]` and `[1, height, width, channels]`.
    pub(super) fn lower_transpose(
        &mut self,
        node: &Node,
        permutation: &[usize],
    ) -> Result<bool, BuildError> {
        let (map, to) = match permutation {
            [0, 2, 3, 1] if self.is_map(node.inputs[0]) => (node.inputs[0], Layout::Rows),
            [0, 3, 1, 2] => (node.output, Layout::Map),
            _ => return Ok(false),
        };
        let Some(shape) = self.map_shape(map)? else {
            return Ok(false);
        };
        let from = if to == Layout::Rows {
            Layout::Map
        } else {
            Layout::Rows
        };
        let source = self.source(node.inputs[0], from)?;
        self.push(node, Box::new(Pixels { shape, to }), vec![source], to)?;
        Ok(true)
    }

    pub(super) fn lower_concat(&mut self, node: &Node) -> Result<bool, BuildError> {
        let variable = node
            .inputs
            .iter()
            .all(|input| self.constant(*input).is_none());
        let any_map = node.inputs.iter().any(|input| self.is_map(*input));
        if !variable || !any_map {
            return Ok(false);
        }
        let mut parts = Vec::new();
        for input in &node.inputs {
            let Some(shape) = self.map_shape(*input)? else {
                return Ok(false);
            };
            let len = shape.channels();
            parts.push((shape.channel_stride(), Part::Range { first: 0, len }));
        }
        self.push_channels(node, parts)
    }

    /// A slice of channels.
    pub(super) fn lower_slice(
        &mut self,
        node: &Node,
        axes: &[SliceAxis],
    ) -> Result<bool, BuildError> {
        let input = node.inputs[0];
        let (true, Some(shape)) = (self.is_map(input), self.map_shape(input)?) else {
            return Ok(false);
        };
        let whole = |i: usize| axes[i].step == 1 && axes[i].len == self.shape(input)[i];
        if axes[1].step != 1 || !whole(0) || !whole(2) || !whole(3) {
            return Ok(false);
        }
        let (first, len) = (axes[1].start, axes[1].len);
        self.push_channels(
            node,
            vec![(shape.channel_stride(), Part::Range { first, len })],
        )
    }

    pub(super) fn lower_gather(
        &mut self,
        node: &Node,
        indices: &[usize],
    ) -> Result<bool, BuildError> {
        let input = node.inputs[0];
        let (true, Some(shape)) = (self.is_map(input), self.map_shape(input)?) else {
            return Ok(false);
        };
        self.push_channels(
            node,
            vec![(shape.channel_stride(), Part::Any(indices.to_vec()))],
        )
    }

    fn push_channels(
        &mut self,
        node: &Node,
        parts: Vec<(usize, Part)>,
    ) -> Result<bool, BuildError> {
        let Some(output) = self.map_shape(node.output)? else {
            return Ok(false);
        };
        let inputs = node
            .inputs
            .iter()
            .map(|input| self.source(*input, Layout::Map));
        let inputs: Vec<PlannedSource> = inputs.collect::<Result<_, _>>()?;
        self.push(
            node,
            Box::new(Channels { parts, output }),
            inputs,
            Layout::Map,
        )?;
        Ok(true)
    }
}
