//! Blocks that are found in graphs and run as one step: how many there are, and that they compute what the graph does.

use imageclassifier_kernels::{Graph, Isa, Network, Program, ThreadTeam, Unary};

use crate::graphs::{self, Net, RELU6, Shape, even, same};
use crate::max_abs_difference;
use crate::networks::large;
use crate::random::{Random, RandomNetwork};

/// Of the largest output: sums of up to a few hundred products, in another order.
const TOLERANCE: f32 = 2e-5;

fn input(graph: &Graph) -> Vec<f32> {
    let elements = graph.input_shape().iter().product();
    Random::new(17).values(elements, 1.0)
}

/// Runs the graph on every instruction set and on teams, and compares with its plain loops. `blocks` are fused in it.
pub(crate) fn check(graph: &Graph, blocks: usize, what: &str) {
    let input = input(graph);
    let expected = graph.run(&input);
    let largest = expected.iter().fold(1.0_f32, |most, x| most.max(x.abs()));
    for isa in Isa::available() {
        let program = Program::new(isa, graph.clone()).expect("a supported graph");
        assert_eq!(program.fused_blocks(), blocks, "{isa}: {what}");
        let mut buffers = program.buffers();
        let mut first = None;
        for threads in [1, 2, 3] {
            let mut team = ThreadTeam::new(threads);
            // The second run finds what the first left in the buffers.
            for run in 0..2 {
                let found = program.run(&mut team, &mut buffers, &input);
                let difference = max_abs_difference(found, &expected);
                assert!(
                    difference <= TOLERANCE * largest,
                    "{isa}, {threads} threads, run {run}, {what}: {difference} of {largest}"
                );
                let first = first.get_or_insert_with(|| found.to_vec());
                assert_eq!(found, first, "{isa}, {threads} threads: {what}");
            }
        }
    }
}

#[test]
fn lite0_lowers_to_its_sixteen_blocks() {
    let [architecture, ..] = large();
    let mut random = Random::new(23);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let graph = graphs::of_architecture(&architecture, &weights);
    let input = input(&graph);
    for isa in Isa::available() {
        let program = Program::new(isa, graph.clone()).expect("a supported graph");
        assert_eq!(program.fused_blocks(), 16);
        let mut buffers = program.buffers();
        let steps = program.profile(&mut ThreadTeam::solo(), &mut buffers, &input, 1);
        let kernels: Vec<_> = steps.iter().map(|step| step.kernel).collect();
        assert_eq!(kernels[..16], ["fused block"; 16]);
        assert_eq!(kernels[16..], ["pointwise", "global pool", "linear"]);
        assert_eq!(
            steps.iter().map(|step| step.macs).sum::<u64>(),
            graph.clone().fused().total_macs()
        );
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        let mut workspace = network.workspace();
        network.stem().pad_chw(&input, workspace.image_mut());
        let found = program.run(&mut ThreadTeam::solo(), &mut buffers, &input);
        let difference = max_abs_difference(found, network.run(&mut workspace));
        assert!(difference <= 1e-4, "{isa}: {difference}");
    }
}

#[test]
fn mobilenet_v2_lowers_to_its_seventeen_blocks() {
    check(&graphs::mobilenet_v2(65), 17, "MobileNetV2");
}

/// A block on its own.
#[derive(Clone, Copy, Debug)]
struct Case {
    channels: usize,
    size: [usize; 2],
    expanded: Option<usize>,
    kernel_size: usize,
    stride: usize,
    padding: Padded,
    outputs: usize,
    activation: Option<Unary>,
    reduced: Option<usize>,
    residual: bool,
}

#[derive(Clone, Copy, Debug)]
enum Padded {
    Even,
    Same,
    None,
}

const CASE: Case = Case {
    channels: 7,
    size: [9, 11],
    expanded: Some(20),
    kernel_size: 3,
    stride: 1,
    padding: Padded::Even,
    outputs: 10,
    activation: RELU6,
    reduced: None,
    residual: false,
};

impl Case {
    fn graph(self) -> Graph {
        let [height, width] = self.size;
        let mut net = Net::new(self.channels, height, width);
        let before = net.builder.input();
        let mut map = before;
        if let Some(expanded) = self.expanded {
            map = net.conv("expand", map, Shape::pointwise(expanded), self.activation);
        }
        let depthwise = Shape {
            outputs: self.expanded.unwrap_or(self.channels),
            kernel_size: self.kernel_size,
            stride: self.stride,
            padding: self.size.map(|side| match self.padding {
                Padded::Even => even(self.kernel_size),
                Padded::Same => same(side, self.kernel_size, self.stride),
                Padded::None => [0, 0],
            }),
            depthwise: true,
        };
        map = net.conv("depthwise", map, depthwise, self.activation);
        if let Some(reduced) = self.reduced {
            map = net.squeeze_excite(map, reduced);
        }
        map = net.conv("project", map, Shape::pointwise(self.outputs), None);
        if self.residual {
            map = net.sum(before, map);
        }
        net.finish(map)
    }

    fn check(self) {
        check(&self.graph(), 1, &format!("{self:?}"));
    }
}

const DEPTHWISE: [(usize, usize); 4] = [(3, 1), (3, 2), (5, 1), (5, 2)];
const PADDINGS: [Padded; 3] = [Padded::Even, Padded::Same, Padded::None];

#[test]
fn every_depthwise_kernel_with_every_padding() {
    for (kernel_size, stride) in DEPTHWISE {
        for padding in PADDINGS {
            for size in [[9, 11], [8, 14], [5, 24], [17, 6]] {
                for (expanded, reduced) in [(Some(20), None), (None, None), (Some(50), Some(3))] {
                    Case {
                        size,
                        expanded,
                        kernel_size,
                        stride,
                        padding,
                        reduced,
                        ..CASE
                    }
                    .check();
                }
            }
        }
    }
}

#[test]
fn maps_smaller_than_the_kernel() {
    for (kernel_size, stride) in DEPTHWISE {
        for size in [[1, 1], [2, 1], [3, 2]] {
            for reduced in [None, Some(4)] {
                Case {
                    size,
                    kernel_size,
                    stride,
                    reduced,
                    ..CASE
                }
                .check();
            }
        }
    }
}

#[test]
fn every_activation() {
    for activation in [
        None,
        Some(Unary::RELU),
        Some(Unary::Clamp(-0.5, 2.0)),
        Some(Unary::Silu),
        Some(Unary::HardSwish),
        Some(Unary::Gelu),
        Some(Unary::LeakyRelu(0.1)),
        // Not 0 at 0: the padding must stay what it is.
        Some(Unary::Sigmoid),
        Some(Unary::HardSigmoid(0.2, 0.5)),
    ] {
        for (expanded, reduced) in [(Some(33), None), (None, None), (Some(48), Some(8))] {
            Case {
                expanded,
                activation,
                reduced,
                ..CASE
            }
            .check();
        }
    }
}

#[test]
fn residuals() {
    for (expanded, reduced) in [(Some(40), None), (None, None), (Some(40), Some(6))] {
        for (kernel_size, activation) in [(3, RELU6), (5, Some(Unary::Silu))] {
            Case {
                channels: 18,
                expanded,
                kernel_size,
                outputs: 18,
                activation,
                reduced,
                residual: true,
                ..CASE
            }
            .check();
        }
    }
}

#[test]
fn large_maps_run_in_bands() {
    for (kernel_size, stride) in DEPTHWISE {
        for padding in PADDINGS {
            for (expanded, reduced) in [(Some(96), None), (Some(96), Some(8))] {
                Case {
                    channels: 9,
                    size: [61, 70],
                    expanded,
                    kernel_size,
                    stride,
                    padding,
                    activation: Some(Unary::HardSwish),
                    reduced,
                    ..CASE
                }
                .check();
            }
        }
    }
    for (activation, reduced) in [(RELU6, None), (Some(Unary::Silu), Some(8))] {
        Case {
            channels: 34,
            size: [113, 97],
            expanded: None,
            outputs: 34,
            activation,
            reduced,
            residual: true,
            ..CASE
        }
        .check();
    }
}

/// A 3 x 3 convolution with stride 2, then a block.
fn stem_and_block(size: [usize; 2], padding: Padded, case: Case) -> Graph {
    let mut net = Net::new(3, size[0], size[1]);
    let spatial = |size: [usize; 2], outputs, stride, depthwise| Shape {
        outputs,
        kernel_size: 3,
        stride,
        padding: size.map(|side| match padding {
            Padded::Even => even(3),
            Padded::Same => same(side, 3, stride),
            Padded::None => [0, 0],
        }),
        depthwise,
    };
    let input = net.builder.input();
    let stem = spatial(size, case.channels, 2, false);
    let mut map = net.conv("stem", input, stem, case.activation);
    let size = [2, 3].map(|axis| net.builder.shape(map)[axis]);
    let depthwise = spatial(size, case.channels, case.stride, true);
    map = net.conv("depthwise", map, depthwise, case.activation);
    if let Some(reduced) = case.reduced {
        map = net.squeeze_excite(map, reduced);
    }
    let project = net.conv("project", map, Shape::pointwise(case.outputs), None);
    net.finish(project)
}

#[test]
fn a_stem_runs_with_the_block_after_it() {
    for padding in PADDINGS {
        for (channels, activation, reduced) in [
            (32, RELU6, None),
            (13, Some(Unary::Silu), Some(5)),
            (32, Some(Unary::HardSigmoid(0.2, 0.5)), None),
        ] {
            for (size, stride) in [([31, 40], 1), ([131, 90], 1), ([150, 161], 2)] {
                let case = Case {
                    channels,
                    activation,
                    reduced,
                    stride,
                    ..CASE
                };
                let graph = stem_and_block(size, padding, case);
                check(&graph, 1, &format!("{size:?}, {padding:?}, {case:?}"));
                let program = Program::new(Isa::Scalar, graph).expect("a supported graph");
                let steps =
                    program.profile(&mut ThreadTeam::solo(), &mut program.buffers(), &[], 0);
                assert!(steps[0].operation.starts_with("stem + block 3x3"));
            }
        }
    }
}

#[test]
fn a_stem_with_too_many_channels_runs_before_its_block() {
    let case = Case {
        channels: 70,
        ..CASE
    };
    check(
        &stem_and_block([31, 40], Padded::Even, case),
        1,
        "70 channels",
    );
}
