//! What looks like a block and runs layer by layer.

use imageclassifier_kernels::{Binary, Op, Unary};

use crate::fused_blocks::check;
use crate::graphs::{Net, RELU6, Shape, even};

#[test]
fn what_others_read_is_not_fused() {
    let spatial = Shape {
        outputs: 20,
        kernel_size: 3,
        stride: 1,
        padding: [even(3); 2],
        depthwise: true,
    };
    for reader in ["expand", "depthwise", "project"] {
        let mut net = Net::new(5, 12, 13);
        let input = net.builder.input();
        let expand = net.conv("expand", input, Shape::pointwise(20), RELU6);
        let depthwise = net.conv("depthwise", expand, spatial, RELU6);
        let project = net.conv("project", depthwise, Shape::pointwise(20), None);
        let (other, blocks) = match reader {
            // What is left is a block without expansion.
            "expand" => (expand, 1),
            "depthwise" => (depthwise, 0),
            _ => (project, 1),
        };
        let other = net.add("other", Op::Unary(Unary::Abs), &[other]);
        let product = net.add("last", Op::Binary(Binary::Mul), &[project, other]);
        check(&net.finish(product), blocks, reader);
    }
}

#[test]
fn what_blocks_cannot_do_is_not_fused() {
    for (kernel_size, stride, padding) in [(7, 1, 3), (3, 3, 1), (1, 1, 0)] {
        let mut net = Net::new(5, 12, 13);
        let input = net.builder.input();
        let expand = net.conv("expand", input, Shape::pointwise(20), RELU6);
        let depthwise = Shape {
            outputs: 20,
            kernel_size,
            stride,
            padding: [[padding; 2]; 2],
            depthwise: true,
        };
        let map = net.conv("depthwise", expand, depthwise, RELU6);
        let map = net.conv("project", map, Shape::pointwise(6), None);
        check(&net.finish(map), 0, &format!("{depthwise:?}"));
    }
}

#[test]
fn a_gate_for_all_channels_is_not_fused() {
    let mut net = Net::new(5, 12, 13);
    let input = net.builder.input();
    let depthwise = Shape {
        outputs: 5,
        kernel_size: 3,
        stride: 1,
        padding: [even(3); 2],
        depthwise: true,
    };
    let map = net.conv("depthwise", input, depthwise, RELU6);
    let gate = net.mean(map);
    let gate = net.conv("reduce", gate, Shape::pointwise(2), RELU6);
    let gate = net.conv("excite", gate, Shape::pointwise(1), Some(Unary::Sigmoid));
    let map = net.add("scale", Op::Binary(Binary::Mul), &[map, gate]);
    let map = net.conv("project", map, Shape::pointwise(6), None);
    check(&net.finish(map), 0, "one factor for all channels");
}

#[test]
fn a_residual_from_elsewhere_is_not_fused() {
    let mut net = Net::new(6, 12, 13);
    let input = net.builder.input();
    let other = net.conv("other", input, Shape::pointwise(6), RELU6);
    let expand = net.conv("expand", input, Shape::pointwise(20), RELU6);
    let depthwise = Shape {
        outputs: 20,
        kernel_size: 3,
        stride: 1,
        padding: [even(3); 2],
        depthwise: true,
    };
    let map = net.conv("depthwise", expand, depthwise, RELU6);
    let map = net.conv("project", map, Shape::pointwise(6), None);
    let sum = net.sum(map, other);
    check(&net.finish(sum), 0, "a residual from elsewhere");
}
