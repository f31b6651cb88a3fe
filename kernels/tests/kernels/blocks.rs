//! One block at a time, over the shapes that exercise every branch.

use imageclassifier_kernels::{Block, BlockConfig, Isa, MapShape, Precision};

use crate::max_abs_difference;
use crate::random::{Random, RandomBlock};
use crate::reference::{self, Map};

/// Sums of up to a few hundred products of values below 6, in another order.
const TOLERANCE: f32 = 2e-5;

fn check(config: BlockConfig) {
    let mut random =
        Random::new(config.input().pixels() as u64 + config.output().channels() as u64);
    let weights = RandomBlock::new(&mut random, &config);
    let values = random.values(config.input().pixels() * config.input().channels(), 2.0);
    let input = Map {
        shape: config.input(),
        values,
    };
    let expected = reference::block(&input, &config, &weights, Precision::F32);
    for isa in Isa::available() {
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

pub(crate) fn config(
    (height, width, channels): (usize, usize, usize),
    expanded_channels: Option<usize>,
    (kernel_size, stride): (usize, usize),
    output_channels: usize,
) -> BlockConfig {
    let input = MapShape::new(height, width, channels).expect("a supported shape");
    BlockConfig::new(
        input,
        expanded_channels,
        kernel_size,
        stride,
        output_channels,
    )
    .expect("a supported block")
}

pub(crate) const DEPTHWISE: [(usize, usize); 4] = [(3, 1), (3, 2), (5, 1), (5, 2)];

/// Small enough for Miri: `cargo +nightly miri test tiny`.
#[test]
fn tiny_blocks() {
    for depthwise in DEPTHWISE {
        check(config((4, 5, 3), Some(6), depthwise, 3));
        check(config((3, 2, 5), None, depthwise, 2));
    }
}

#[test]
fn every_depthwise_kernel_at_every_small_size() {
    for depthwise in DEPTHWISE {
        for height in 1..=6 {
            for width in 1..=19 {
                check(config((height, width, 5), Some(9), depthwise, 7));
            }
        }
    }
}

#[test]
fn channel_counts_that_fill_no_vector() {
    for depthwise in DEPTHWISE {
        for (input, expanded, output) in [
            (1, 1, 1),
            (3, 17, 5),
            (8, 48, 24),
            (16, 33, 40),
            (20, 144, 16),
            (24, 100, 33),
        ] {
            check(config((9, 10, input), Some(expanded), depthwise, output));
        }
    }
}

#[test]
fn no_expansion() {
    for depthwise in DEPTHWISE {
        for (channels, output) in [(1, 3), (8, 8), (16, 24), (32, 16), (35, 35), (96, 17)] {
            check(config((11, 13, channels), None, depthwise, output));
        }
    }
}

#[test]
fn residual() {
    for (kernel_size, channels, expanded) in [(3, 24, 144), (5, 24, 140), (5, 40, 240), (3, 17, 50)]
    {
        let config = config(
            (12, 15, channels),
            Some(expanded),
            (kernel_size, 1),
            channels,
        );
        assert!(config.has_residual());
        check(config);
    }
}

#[test]
fn deep_products_are_summed_in_several_passes() {
    check(config((7, 7, 192), Some(1152), (5, 1), 192));
    check(config((9, 9, 208), Some(1248), (3, 1), 352));
    check(config((5, 5, 331), Some(700), (3, 2), 90));
}

#[test]
fn large_maps_run_in_bands() {
    for depthwise in DEPTHWISE {
        check(config((64, 70, 16), Some(96), depthwise, 24));
        check(config((131, 65, 8), Some(100), depthwise, 8));
        check(config((113, 97, 32), None, depthwise, 32));
    }
}
