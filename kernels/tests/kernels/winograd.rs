//! 3 x 3 convolutions of the kinds that run by Winograd's minimal filtering, and those next to them.

use imageclassifier_kernels::{Graph, Isa, Op, Program, ThreadTeam, Unary};

use crate::fused_blocks::check;
use crate::graphs::{Net, Padding, RELU6, Shape};

const AROUND: [Padding; 2] = [[1; 2]; 2];

fn shape(outputs: usize, padding: [Padding; 2]) -> Shape {
    Shape {
        outputs,
        kernel_size: 3,
        stride: 1,
        padding,
        depthwise: false,
    }
}

const LARGE: &str = "Winograd 4x4";
const SMALL: &str = "Winograd 2x2";

/// What computes the graph's convolutions.
fn kernels(graph: &Graph) -> Vec<&'static str> {
    let program = Program::new(Isa::Scalar, graph.clone()).expect("a supported graph");
    let input = vec![0.0; program.input_len()];
    let steps = program.profile(&mut ThreadTeam::solo(), &mut program.buffers(), &input, 1);
    let convs = steps.iter().filter(|step| step.macs > 0);
    convs.map(|step| step.kernel).collect()
}

#[test]
fn tiles_agree_with_plain_loops() {
    for (height, width, channels, outputs, padding, kernel) in [
        // Whole tiles, and some that reach beyond the map.
        (24, 28, 16, 16, AROUND, LARGE),
        (27, 25, 16, 48, AROUND, LARGE),
        (14, 13, 20, 33, AROUND, SMALL),
        (12, 30, 37, 16, AROUND, SMALL),
        // Other padding.
        (26, 27, 17, 18, [[0; 2]; 2], LARGE),
        (24, 24, 16, 16, [[0, 2], [2, 0]], LARGE),
        (13, 14, 16, 20, [[2, 1], [0, 1]], SMALL),
        // A row and a column of the output see only padding.
        (25, 24, 17, 16, [[1, 3], [0, 3]], LARGE),
        // Too small, or too few channels.
        (11, 30, 16, 16, AROUND, "conv"),
        (30, 30, 15, 16, AROUND, "conv"),
        (30, 30, 16, 15, AROUND, "conv"),
    ] {
        let mut net = Net::new(channels, height, width);
        let input = net.builder.input();
        let map = net.conv("conv", input, shape(outputs, padding), None);
        let graph = net.finish(map);
        let case = format!("{height} x {width}, {channels} to {outputs}, {padding:?}");
        assert_eq!(kernels(&graph), [kernel], "{case}");
        check(&graph, 0, &case);
    }
}

#[test]
fn what_follows_is_part_of_the_step() {
    for (side, kernel) in [(13, SMALL), (25, LARGE)] {
        for activation in [None, RELU6, Some(Unary::RELU), Some(Unary::Silu)] {
            for residual in [false, true] {
                let mut net = Net::new(18, side, side);
                let input = net.builder.input();
                let first = net.conv("first", input, shape(18, AROUND), RELU6);
                let mut map = net.conv("second", first, shape(18, AROUND), None);
                if residual {
                    map = net.sum(map, first);
                }
                if let Some(unary) = activation {
                    map = net.add("activation", Op::Unary(unary), &[map]);
                }
                let graph = net.finish(map);
                assert_eq!(kernels(&graph), [kernel; 2]);
                check(&graph, 0, &format!("{side}, {activation:?}, {residual}"));
            }
        }
    }
}

/// Maps that are multiplied in several bands of tiles.
#[test]
fn large_maps_agree_with_plain_loops() {
    for (height, width, channels, kernel) in [(90, 93, 32, LARGE), (23, 70, 130, SMALL)] {
        let mut net = Net::new(channels, height, width);
        let input = net.builder.input();
        let map = net.conv("conv", input, shape(channels, AROUND), RELU6);
        let graph = net.finish(map);
        assert_eq!(kernels(&graph), [kernel]);
        check(&graph, 0, &format!("{height} x {width}"));
    }
}

/// All convolutions together take at most half as much memory again as their weights, or 4 MiB more.
#[test]
fn transformed_filters_take_little_more_memory_than_weights() {
    let mut net = Net::new(160, 24, 24);
    let mut map = net.builder.input();
    // Each takes 27 elements more for each of 160 x 160 filters, or 7. There are 1,048,576.
    for _ in 0..5 {
        map = net.conv("conv", map, shape(160, AROUND), RELU6);
    }
    let graph = net.finish(map);
    assert_eq!(kernels(&graph), [LARGE, SMALL, "conv", "conv", "conv"]);
}
