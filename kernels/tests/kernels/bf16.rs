//! Products in bf16, where this machine has the instructions, against the same layers with rounded inputs and weights.

use imageclassifier_kernels::{
    Architecture, Block, BlockConfig, Head, HeadBuffers, Isa, MapShape, Network, Precision,
};

use crate::blocks::{DEPTHWISE, config};
use crate::max_abs_difference;
use crate::network::{image, run};
use crate::networks::{large, small};
use crate::random::{Conv, Random, RandomBlock, RandomNetwork};
use crate::reference::{self, Map};

/// Where both round the same values, only the sums differ.
const TOLERANCE: f32 = 2e-5;
/// Where a sum in another order can fall to the other side of a tie and be rounded by a bit of 8 more or less.
const TOLERANCE_OF_FC: f32 = 2e-3;
const TOLERANCE_OF_NETWORK: f32 = 0.02;

fn isas() -> impl Iterator<Item = Isa> {
    Isa::ALL
        .into_iter()
        .filter(|isa| isa.precision() == Precision::Bf16 && isa.is_available())
}

fn to_multiples_of(step: f32, values: &mut [f32]) {
    for x in values {
        *x = (*x / step).round() * step;
    }
}

/// Values with so few bits that sums up to `project_conv` are exact in any order, but too many for bf16.
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
    let mut values = random.values(config.input().pixels() * config.input().channels(), 4.0);
    to_multiples_of(INPUT, &mut values);
    let shape = config.input();
    (Map { shape, values }, weights)
}

fn check(config: BlockConfig) {
    let mut random =
        Random::new(config.input().pixels() as u64 + config.output().channels() as u64);
    let (input, weights) = exactly_summed(&mut random, &config);
    let expected = reference::block(&input, &config, &weights, Precision::Bf16);
    for isa in isas() {
        let block = Block::new(isa, config, &weights.weights()).expect("a supported block");
        let mut scratch = block.scratch();
        let mut output = vec![f32::NAN; config.output().buffer_len()];
        for run in 0..2 {
            block.run(&input.padded(), &mut output, &mut scratch);
            let found = Map::from_padded(config.output(), &output);
            let difference = max_abs_difference(&found.values, &expected.values);
            assert!(
                difference <= TOLERANCE,
                "{isa}, run {run}, {config:?}: {difference}"
            );
        }
    }
}

#[test]
fn supports_blocks_of_every_kind() {
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
fn sums_deep_products() {
    check(config((7, 7, 192), Some(1152), (5, 1), 192));
    check(config((5, 5, 331), Some(700), (3, 2), 90));
}

#[test]
fn supports_heads() {
    for (side, channels, features, classes) in [
        (1, 1, 1, 1),
        (3, 25, 51, 10),
        (7, 320, 1280, 1000),
        (9, 352, 130, 33),
    ] {
        let mut random = Random::new(channels as u64);
        let shape = MapShape::new(side, side, channels).expect("a supported shape");
        let values = random.values(shape.pixels() * channels, 2.0);
        let input = Map { shape, values };
        let conv_head = random.conv(features, channels);
        let fc = random.conv(classes, features);
        let (features, logits) = reference::head(&input, &conv_head, &fc, Precision::Bf16);
        for isa in isas() {
            let head =
                Head::new(isa, shape, conv_head.folded(), fc.folded()).expect("a supported head");
            let mut buffers = HeadBuffers::new(&head);
            head.run(&input.padded(), &mut buffers);
            let difference = max_abs_difference(head.logits(&buffers), &logits);
            assert!(
                difference <= TOLERANCE_OF_FC,
                "{isa} {side} {channels}: logits {difference}"
            );
            let mut map = vec![f32::NAN; features.values.len()];
            head.copy_features(&buffers, &mut map);
            let difference = max_abs_difference(&map, &features.values);
            assert!(
                difference <= TOLERANCE,
                "{isa} {side} {channels}: features {difference}"
            );
        }
    }
}

fn check_network(architecture: &Architecture) {
    let mut random = Random::new(7);
    let weights = RandomNetwork::new(&mut random, architecture);
    let image = image(&mut random, architecture);
    for isa in isas() {
        let (_, expected) = reference::network(&image, architecture, &weights, Precision::Bf16);
        let network =
            Network::new(isa, architecture, &weights.weights()).expect("a supported network");
        let mut workspace = network.workspace();
        let difference = max_abs_difference(run(&network, &mut workspace, &image), &expected);
        let side = architecture.input().height();
        println!("{isa}, {side} pixels: {difference}");
        assert!(
            difference <= TOLERANCE_OF_NETWORK,
            "{isa}, {side} pixels: {difference}"
        );
    }
}

#[test]
fn supports_a_small_network() {
    check_network(&small());
}

#[test]
fn supports_large_networks() {
    large().iter().for_each(check_network);
}
