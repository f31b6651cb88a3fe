//! Architectures to test with.

use imageclassifier_kernels::{Architecture, Stage};

/// `(repeats, kernel_size, stride, expand_ratio, channels)` of each stage.
type Stages<'a> = &'a [(usize, usize, usize, usize, usize)];

fn architecture(
    image: (usize, usize),
    stem_channels: usize,
    stages: Stages<'_>,
    head_channels: usize,
    classes: usize,
) -> Architecture {
    let stages =
        stages.iter().map(
            |&(repeats, kernel_size, stride, expand_ratio, channels)| Stage {
                repeats,
                kernel_size,
                stride,
                expand_ratio,
                channels,
            },
        );
    let stages: Vec<_> = stages.collect();
    Architecture::new(image, stem_channels, &stages, head_channels, classes)
        .expect("a supported architecture")
}

/// A network with every kind of block, on an image with odd sides.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn small() -> Architecture {
    let stages = [
        (1, 3, 1, 1, 8),
        (2, 3, 2, 6, 16),
        (2, 5, 2, 4, 20),
        (3, 5, 1, 6, 24),
    ];
    architecture((45, 38), 12, &stages, 70, 21)
}

/// Small enough for Miri.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn tiny() -> Architecture {
    architecture((9, 7), 3, &[(1, 3, 1, 1, 3), (1, 3, 2, 2, 4)], 6, 5)
}

/// Networks as large as those that the kernels are tuned for, smallest first.
pub(crate) fn large() -> [Architecture; 3] {
    let wide = [16, 24, 48, 88, 120, 208, 352];
    let narrow = [16, 24, 40, 80, 112, 192, 320];
    [
        (224, narrow, [1, 2, 2, 3, 3, 4, 1]),
        (240, narrow, [1, 3, 3, 4, 4, 5, 1]),
        (260, wide, [1, 3, 3, 4, 4, 5, 1]),
    ]
    .map(|(side, channels, repeats)| {
        let kernels = [3, 3, 5, 3, 5, 5, 3];
        let strides = [1, 2, 2, 2, 1, 2, 1];
        let ratios = [1, 6, 6, 6, 6, 6, 6];
        let stages: [_; 7] =
            std::array::from_fn(|i| (repeats[i], kernels[i], strides[i], ratios[i], channels[i]));
        architecture((side, side), 32, &stages, 1280, 1000)
    })
}
