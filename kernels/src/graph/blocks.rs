//! Finds inverted-residual blocks in a fused graph: `1x1 -> depthwise -> [squeeze-and-excitation] -> 1x1 [+ residual]`, and
//! the convolution before a block that does not expand.

use std::collections::HashMap;

use super::fuse::uses;
use super::{Binary, Conv, Graph, Node, Op, Reduction, ValueId};

/// Which nodes of a graph are a block. Only the output of `project` is read outside the block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundBlock {
    /// What the block reads, or what `stem` does.
    pub(crate) input: ValueId,
    /// A convolution of another kind than the block's own, for a block that does not expand.
    pub(crate) stem: Option<usize>,
    pub(crate) expand: Option<usize>,
    pub(crate) depthwise: usize,
    pub(crate) squeeze_excite: Option<FoundSqueezeExcite>,
    pub(crate) project: usize,
}

/// The nodes that scale the channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundSqueezeExcite {
    mean: usize,
    pub(crate) reduce: usize,
    pub(crate) excite: usize,
    scale: usize,
}

impl FoundBlock {
    /// All nodes, from the first to the last.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = usize> {
        let scaling = self.squeeze_excite;
        let scaling = scaling.map(|it| [it.mean, it.reduce, it.excite, it.scale]);
        let before = self.stem.into_iter().chain(self.expand);
        let between = scaling.into_iter().flatten();
        before
            .chain([self.depthwise])
            .chain(between)
            .chain([self.project])
    }
}

impl Graph {
    /// The blocks, in the order of their last nodes. No node is part of two.
    pub(crate) fn blocks(&self) -> Vec<FoundBlock> {
        let makers = self.nodes.iter().enumerate();
        let finder = Finder {
            graph: self,
            makers: makers.map(|(i, node)| (node.output, i)).collect(),
            uses: uses(&self.nodes, self),
        };
        let mut taken = vec![false; self.nodes.len()];
        let mut blocks = Vec::new();
        for project in 0..self.nodes.len() {
            let Some(block) = finder.block(project, &taken) else {
                continue;
            };
            for node in block.nodes() {
                taken[node] = true;
            }
            blocks.push(block);
        }
        blocks
    }
}

struct Finder<'a> {
    graph: &'a Graph,
    makers: HashMap<ValueId, usize>,
    uses: Vec<usize>,
}

impl Finder<'_> {
    /// The block that ends with a node, without nodes that are `taken`.
    fn block(&self, project: usize, taken: &[bool]) -> Option<FoundBlock> {
        let last = &self.graph.nodes[project];
        let conv = self.pointwise(last)?;
        let (squeeze_excite, depthwise) = match self.squeeze_excite(last.inputs[0]) {
            Some((found, filtered)) => (Some(found), self.conv_before(filtered, 2)?),
            None => (None, self.conv_before(last.inputs[0], 1)?),
        };
        let filter = &self.graph.nodes[depthwise];
        let (_, groups) = self.conv(filter).filter(|(conv, _)| !conv.residual)?;
        let channels = [filter.inputs[0], filter.output].map(|value| self.channels(value));
        if groups == 1 || channels != [Some(groups); 2] {
            return None;
        }
        let mut block = FoundBlock {
            input: filter.inputs[0],
            stem: None,
            expand: None,
            depthwise,
            squeeze_excite,
            project,
        };
        let before = self.conv_before(block.input, 1);
        let free = |i: &usize| {
            let conv = self.conv(&self.graph.nodes[*i]);
            !taken[*i] && conv.is_some_and(|(conv, groups)| groups == 1 && !conv.residual)
        };
        if let Some(before) = before.filter(free) {
            let node = &self.graph.nodes[before];
            if self.pointwise(node).is_some() {
                block.expand = Some(before);
            } else {
                block.stem = Some(before);
            }
            block.input = node.inputs[0];
        }
        let residual = last.inputs.last().copied().filter(|_| conv.residual);
        if residual.is_some_and(|residual| residual != block.input || block.stem.is_some()) {
            return None;
        }
        block.nodes().all(|node| !taken[node]).then_some(block)
    }

    /// A convolution with constant weights and without dilation, and its groups.
    fn conv<'a>(&self, node: &'a Node) -> Option<(&'a Conv, usize)> {
        let Op::Conv(conv) = &node.op else {
            return None;
        };
        let constants = &node.inputs[1..2 + usize::from(conv.bias)];
        let mut constants = constants.iter().map(|it| &self.graph.values[it.0].data);
        let is_supported = constants.all(Option::is_some) && conv.window.dilation == [1, 1];
        is_supported.then_some((conv, conv.groups))
    }

    /// A product of all pixels.
    fn pointwise<'a>(&self, node: &'a Node) -> Option<&'a Conv> {
        let (conv, groups) = self.conv(node)?;
        (groups == 1 && conv.window.is_pointwise()).then_some(conv)
    }

    /// The convolution that writes `value`, if `readers` nodes read it.
    fn conv_before(&self, value: ValueId, readers: usize) -> Option<usize> {
        let maker = *self.makers.get(&value)?;
        let is_conv = self.conv(&self.graph.nodes[maker]).is_some();
        (is_conv && self.uses[value.0] == readers).then_some(maker)
    }

    /// `x * excite(reduce(mean(x)))`, and `x`.
    fn squeeze_excite(&self, scaled: ValueId) -> Option<(FoundSqueezeExcite, ValueId)> {
        let only = |value: ValueId| {
            let maker = self.makers.get(&value).copied();
            maker.filter(|_| self.uses[value.0] == 1)
        };
        let scale = only(scaled)?;
        let product = &self.graph.nodes[scale];
        if product.op != Op::Binary(Binary::Mul) {
            return None;
        }
        let [a, b] = [product.inputs[0], product.inputs[1]];
        [(a, b), (b, a)].into_iter().find_map(|(x, factors)| {
            let excite = only(factors)?;
            let reduce = only(self.graph.nodes[excite].inputs[0])?;
            let mean = only(self.graph.nodes[reduce].inputs[0])?;
            let node = &self.graph.nodes[mean];
            let is_mean = node.inputs[0] == x
                && node.op
                    == Op::Reduce {
                        reduction: Reduction::Mean,
                        axes: vec![2, 3],
                    };
            let are_products = [excite, reduce].iter().all(|layer| {
                let conv = self.pointwise(&self.graph.nodes[*layer]);
                conv.is_some_and(|conv| !conv.residual)
            });
            // A gate of one channel would be broadcast.
            let channels = [x, factors].map(|value| self.channels(value));
            let is_gate = channels[0].is_some() && channels[0] == channels[1];
            let found = FoundSqueezeExcite {
                mean,
                reduce,
                excite,
                scale,
            };
            (is_mean && are_products && is_gate).then_some((found, x))
        })
    }

    fn channels(&self, value: ValueId) -> Option<usize> {
        match *self.graph.values[value.0].shape {
            [1, channels, ..] => Some(channels),
            _ => None,
        }
    }
}
