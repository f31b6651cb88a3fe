//! Inverted-residual blocks, each as one step.

use super::kernel::{Kernel, KernelKind};
use super::planner::{Description, Planner};
use super::relayout::Layout;
use super::role::Role;
use crate::activation::Activation;
use crate::block::{Activations, BlockVariant, DepthwiseConfig, SqueezeExciteWeights};
use crate::graph::{Conv, FoundBlock, Op};
use crate::scratch::{Scratch, ScratchLen};
use crate::shape::Axis;
use crate::{Block, BlockConfig, BlockWeights, BuildError, FoldedConv, MapShape, Stem, ThreadTeam};

/// What the profile calls both kernels.
const NAME: &str = "fused block";

impl Kernel for Block {
    fn name(&self) -> &'static str {
        NAME
    }

    fn kind(&self) -> KernelKind {
        KernelKind::FusedBlock
    }

    fn scratch_len(&self) -> ScratchLen {
        Self::scratch_len(self)
    }

    fn helper_scratch_len(&self) -> ScratchLen {
        Self::helper_scratch_len(self)
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        self.run_on(team, inputs[0], output, scratch);
    }
}

/// A block that reads what the stem writes, which is never stored.
#[derive(Debug)]
struct StemBlock {
    stem: Stem,
    block: Block,
    /// Elements of the image, `[3, height, width]`.
    image_len: usize,
}

impl Kernel for StemBlock {
    fn name(&self) -> &'static str {
        NAME
    }

    fn kind(&self) -> KernelKind {
        KernelKind::FusedBlock
    }

    fn scratch_len(&self) -> ScratchLen {
        self.block
            .scratch_len()
            .max(ScratchLen::operands(self.stem.padded_len()))
    }

    fn helper_scratch_len(&self) -> ScratchLen {
        self.block.helper_scratch_len()
    }

    fn run(
        &self,
        team: &mut ThreadTeam,
        inputs: &[&[f32]],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        // Taken out, so that the block can have the rest. In f32 it packs nothing itself.
        let mut image = std::mem::take(&mut scratch.operands);
        let padded = &mut image[..self.stem.padded_len()];
        self.stem.clear_border(padded);
        self.stem.pad_chw(&inputs[0][..self.image_len], padded);
        self.block
            .run_with_stem_on(team, &self.stem, padded, output, scratch);
        scratch.operands = image;
    }
}

/// A convolution of the graph.
struct Layer<'a> {
    conv: &'a Conv,
    weight: &'a [f32],
    /// Zeros if the graph has no bias.
    bias: Vec<f32>,
    output: MapShape,
}

impl Layer<'_> {
    fn folded(&self) -> FoldedConv<'_> {
        FoldedConv {
            weight: self.weight,
            bias: &self.bias,
        }
    }

    fn activation(&self) -> Activation {
        Activation::new(self.conv.activation)
    }

    /// The rows and columns that a stem would read of such an image.
    fn axes(&self, image: MapShape) -> Option<[Axis; 2]> {
        let window = &self.conv.window;
        Stem::axes(image, window.kernel, window.stride, self.padding())
    }

    /// Of rows and of columns.
    fn padding(&self) -> [[usize; 2]; 2] {
        let window = &self.conv.window;
        [0, 1].map(|axis| [window.pad_begin[axis], window.pad_end[axis]])
    }
}

impl<'a> Planner<'a> {
    /// The role of each node, with those blocks that there are kernels for.
    pub(super) fn roles(&self) -> Result<Vec<Role>, BuildError> {
        let mut roles = vec![Role::Layer; self.graph.nodes.len()];
        for mut block in self.graph.blocks() {
            let Some(config) = self.config(&block)? else {
                continue;
            };
            if let Some(stem) = block.stem
                && !self.can_follow_stem(stem, &block, config)?
            {
                block.stem = None;
                block.input = self.graph.nodes[block.depthwise].inputs[0];
            }
            for node in block.nodes() {
                roles[node] = Role::Inside;
            }
            roles[block.project] = Role::Last(block);
        }
        Ok(roles)
    }

    /// The shape of a block, if there are kernels for it.
    fn config(&self, block: &FoundBlock) -> Result<Option<BlockConfig>, BuildError> {
        let (depthwise, project) = (self.layer(block.depthwise)?, self.layer(block.project)?);
        let filtered = &self.graph.nodes[block.depthwise];
        let input = match block.expand {
            Some(expand) => self.graph.nodes[expand].inputs[0],
            None => filtered.inputs[0],
        };
        let (Some(depthwise), Some(project), Some(input)) =
            (depthwise, project, self.map_shape(input)?)
        else {
            return Ok(None);
        };
        let window = &depthwise.conv.window;
        let [kernel_size, stride] = [window.kernel[0], window.stride[0]];
        let is_square = window.kernel[1] == kernel_size && window.stride[1] == stride;
        let padding = depthwise.padding();
        let is_padded_less = padding.iter().flatten().all(|it| *it < kernel_size);
        if !is_square || !is_padded_less || !DepthwiseConfig::is_supported(kernel_size, stride) {
            return Ok(None);
        }
        let expanded = block.expand.map(|_| depthwise.output.channels());
        let config = BlockConfig::with(
            input,
            expanded,
            DepthwiseConfig {
                kernel_size,
                stride,
                padding: Some(padding),
            },
            project.output.channels(),
        )?;
        let config = if project.conv.residual {
            config.with_residual()?
        } else {
            config
        };
        Ok(Some(config))
    }

    /// Whether the block can be run together with the convolution before it.
    fn can_follow_stem(
        &self,
        stem: usize,
        block: &FoundBlock,
        config: BlockConfig,
    ) -> Result<bool, BuildError> {
        let (Some(layer), Some(image)) = (self.layer(stem)?, self.map_shape(block.input)?) else {
            return Ok(false);
        };
        // The image is read row-major.
        let reads_image = block.input == self.graph.input && layer.axes(image).is_some();
        Ok(reads_image && Block::fits_stem(self.token, &config))
    }

    /// A convolution on maps.
    fn layer(&self, node: usize) -> Result<Option<Layer<'a>>, BuildError> {
        let graph = self.graph;
        let node = &graph.nodes[node];
        let constant = |i: usize| graph.values[node.inputs[i].0].data.as_deref();
        let (Op::Conv(conv), Some(output), Some(weight)) =
            (&node.op, self.map_shape(node.output)?, constant(1))
        else {
            return Ok(None);
        };
        let bias = match conv.bias.then(|| constant(2)) {
            None => vec![0.0; output.channels()],
            Some(Some(bias)) => bias.clone(),
            Some(None) => return Ok(None),
        };
        Ok(Some(Layer {
            conv,
            weight,
            bias,
            output,
        }))
    }

    /// Adds the block as one step.
    pub(super) fn lower_block(&mut self, block: &FoundBlock) -> Result<(), BuildError> {
        let layer = |node: usize| {
            let layer = self.layer(node)?;
            let output = self.graph.nodes[node].output;
            layer.ok_or_else(|| self.bug(output, "a layer that no block has"))
        };
        let expand = block.expand.map(layer).transpose()?;
        let (depthwise, project) = (layer(block.depthwise)?, layer(block.project)?);
        let scaling = block.squeeze_excite;
        let scaling = scaling.map(|it| Ok::<_, BuildError>((layer(it.reduce)?, layer(it.excite)?)));
        let scaling = scaling.transpose()?;
        let config = self.config(block)?;
        let output = self.graph.nodes[block.project].output;
        let config = config.ok_or_else(|| self.bug(output, "a block that no kernel runs"))?;
        let weights = BlockWeights {
            expand_conv: expand.as_ref().map(Layer::folded),
            depthwise_conv: depthwise.folded(),
            project_conv: project.folded(),
        };
        let variant = BlockVariant {
            activations: Activations {
                expand: expand.as_ref().map_or(Activation::NONE, Layer::activation),
                depthwise: depthwise.activation(),
                project: project.activation(),
            },
            squeeze_excite: scaling
                .as_ref()
                .map(|(reduce, excite)| SqueezeExciteWeights {
                    reduce: reduce.folded(),
                    reduce_activation: reduce.conv.activation,
                    excite: excite.folded(),
                    excite_activation: excite.conv.activation,
                }),
        };
        let kernel = Block::with(self.token, config, &weights, &variant)?;
        let (kernel, layout): (Box<dyn Kernel>, _) = match block.stem.map(layer).transpose()? {
            None => (Box::new(kernel), Layout::Map),
            Some(stem) => {
                let image = self.map_shape(block.input)?;
                let axes = image.and_then(|image| stem.axes(image));
                let axes = axes.ok_or_else(|| self.bug(output, "a stem that no kernel runs"))?;
                let kernel = StemBlock {
                    stem: Stem::with(self.token, axes, stem.activation(), stem.folded())?,
                    block: kernel,
                    image_len: self.elements(block.input)?,
                };
                (Box::new(kernel), Layout::Rows)
            }
        };
        let description = self.describe_block(block, &config);
        let source = self.source(block.input, layout)?;
        self.push_described(description, output, kernel, vec![source], Layout::Map)
    }

    fn describe_block(&self, block: &FoundBlock, config: &BlockConfig) -> Description {
        let nodes = || block.nodes().map(|node| &self.graph.nodes[node]);
        let activation = match &self.graph.nodes[block.depthwise].op {
            Op::Conv(conv) => conv.activation,
            _ => None,
        };
        let mut operation = format!("block {0}x{0} s{1}", config.kernel_size(), config.stride());
        if block.stem.is_some() {
            operation.insert_str(0, "stem + ");
        }
        if let Some(activation) = activation {
            operation = operation + " + " + activation.name();
        }
        if block.squeeze_excite.is_some() {
            operation += " + squeeze-excite";
        }
        if config.has_residual() {
            operation += " + residual";
        }
        let [first, last] = [nodes().next(), nodes().last()]
            .map(|node| node.map_or_else(String::new, |node| node.name.clone()));
        Description {
            name: format!("{first} … {last}"),
            operation,
            macs: nodes().map(|node| self.graph.macs(node)).sum(),
        }
    }
}
