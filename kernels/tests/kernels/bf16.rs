//! The kernels in bf16, where this machine has the instructions, against the same layers with rounded inputs and weights.

use imageclassifier_kernels::{
    Architecture, Block, BlockConfig, Head, HeadBuffers, Kernel, MapShape, Network, Precision,
    Scratch, Workspace,
};

use crate::blocks::{DEPTHWISE, config};
use crate::max_abs_difference;
use crate::network::{picture, run, small};
use crate::random::{Conv, Random, RandomBlock, RandomNetwork};
use crate::reference::{self, Map};

/// Where both round the same numbers, only the sums differ.
const TOLERANCE: f32 = 2e-5;
/// Where a sum in another order can fall to the other side of a tie and be rounded by a bit of 8 more or less.
const TOLERANCE_OF_FC: f32 = 2e-3;
const TOLERANCE_OF_NETWORK: f32 = 0.02;

fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.precision() == Precision::Bf16 && kernel.is_available())
}

fn to_multiples_of(step: f32, numbers: &mut [f32]) {
    for x in numbers {
        *x = (*x / step).round() * step;
    }
}

/// Numbers with so few bits that sums up to `project_conv` are exact in any order, but too many for bf16.
fn exactly_summed(random: &mut Random, config: &BlockConfig) -> (Map, RandomBlock) {
    const INPUT: f32 = 1.0 / 128.0;
    const POINTWISE: f32 = 1.0 / 2048.0;
    const DEPTHWISE: f32 = 1.0 / 8.0;
    let mut weights = RandomBlock::new(random, config);
    let coarsen = |conv: &mut Conv, step| {
        to_multiples_of(step, &mut conv.weight);
        to_multiples_of(POINTWISE, &mut conv.bias);
    };
    weights
        .expand_conv
        .iter_mut()
        .for_each(|conv| coarsen(conv, POINTWISE));
    coarsen(&mut weights.depthwise_conv, DEPTHWISE);
    coarsen(&mut weights.project_conv, POINTWISE);
    let mut values = random.numbers(config.input.pixels() * config.input.channels, 4.0);
    to_multiples_of(INPUT, &mut values);
    let shape = config.input;
    (Map { shape, values }, weights)
}

fn check(config: BlockConfig) {
    let mut random = Random::new(config.input.pixels() as u64 + config.output_channels as u64);
    let (input, weights) = exactly_summed(&mut random, &config);
    let expected = reference::block(&input, &config, &weights, Precision::Bf16);
    for kernel in kernels() {
        let block = Block::new(kernel, config, &weights.weights()).expect("a supported block");
        let mut scratch = Scratch::new([&block]);
        let mut output = vec![f32::NAN; config.output().buffer_len()];
        for run in 0..2 {
            block.run(&input.padded(), &mut output, &mut scratch);
            let found = Map::from_padded(config.output(), &output);
            let difference = max_abs_difference(&found.values, &expected.values);
            assert!(
                difference <= TOLERANCE,
                "{kernel}, run {run}, {config:?}: {difference}"
            );
        }
    }
}

#[test]
fn blocks_of_every_kind() {
    for depthwise in DEPTHWISE {
        for (input, expanded, output) in [
            (1, Some(1), 1),
            (3, Some(17), 5),
            (8, Some(48), 24),
            (16, Some(33), 40),
            (17, Some(144), 17),
            (35, None, 35),
            (96, None, 17),
        ] {
            for (height, width) in [(1, 1), (3, 2), (9, 10), (11, 19)] {
                check(config((height, width, input), expanded, depthwise, output));
            }
        }
        check(config((64, 70, 16), Some(96), depthwise, 24));
        check(config((131, 65, 9), Some(100), depthwise, 9));
    }
}

#[test]
fn deep_products() {
    check(config((7, 7, 192), Some(1152), (5, 1), 192));
    check(config((5, 5, 331), Some(700), (3, 2), 90));
}

#[test]
fn heads() {
    for (side, channels, features, classes) in [
        (1, 1, 1, 1),
        (3, 25, 51, 10),
        (7, 320, 1280, 1000),
        (9, 352, 130, 33),
    ] {
        let mut random = Random::new(channels as u64);
        let shape = MapShape {
            height: side,
            width: side,
            channels,
        };
        let values = random.numbers(shape.pixels() * channels, 2.0);
        let input = Map { shape, values };
        let conv_head = random.conv(features, channels);
        let fc = random.conv(classes, features);
        let (features, logits) = reference::head(&input, &conv_head, &fc, Precision::Bf16);
        for kernel in kernels() {
            let head = Head::new(kernel, shape, conv_head.folded(), fc.folded())
                .expect("a supported head");
            let mut buffers = HeadBuffers::new(&head);
            head.run(&input.padded(), &mut buffers);
            let difference = max_abs_difference(head.logits(&buffers), &logits);
            assert!(
                difference <= TOLERANCE_OF_FC,
                "{kernel} {side} {channels}: logits {difference}"
            );
            let mut map = vec![f32::NAN; features.values.len()];
            head.copy_features(&buffers, &mut map);
            let difference = max_abs_difference(&map, &features.values);
            assert!(
                difference <= TOLERANCE,
                "{kernel} {side} {channels}: features {difference}"
            );
        }
    }
}

fn check_network(architecture: &Architecture) {
    let mut random = Random::new(7);
    let weights = RandomNetwork::new(&mut random, architecture);
    let picture = picture(&mut random, architecture);
    for kernel in kernels() {
        let (_, expected) = reference::network(&picture, architecture, &weights, Precision::Bf16);
        let network =
            Network::new(kernel, architecture, &weights.weights()).expect("a supported network");
        let mut workspace = Workspace::new(&network);
        let difference = max_abs_difference(run(&network, &mut workspace, &picture), &expected);
        println!("{kernel}, {} pixels: {difference}", architecture.height);
        assert!(
            difference <= TOLERANCE_OF_NETWORK,
            "{kernel}, {} pixels: {difference}",
            architecture.height
        );
    }
}

#[test]
fn a_small_network() {
    check_network(&small());
}

#[test]
fn lite0() {
    check_network(&Architecture::lite0());
}

#[test]
fn lite1() {
    check_network(&Architecture::lite1());
}

#[test]
fn lite2() {
    check_network(&Architecture::lite2());
}
