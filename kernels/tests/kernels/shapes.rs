//! Shapes that no memory can hold are rejected where they are made, before anything is computed from them.

use imageclassifier_kernels::{
    Architecture, BlockConfig, BuildError, FoldedConv, Head, Isa, MapShape, Stage, Stem,
};

/// The square root of what a size can count: the product of two of them wraps around to 0.
const ROOT: usize = 1 << (usize::BITS / 2);

fn map(height: usize, width: usize, channels: usize) -> Result<MapShape, BuildError> {
    MapShape::new(height, width, channels)
}

#[test]
fn rejects_maps_that_overflow() {
    for (height, width, channels) in [
        (ROOT, ROOT, 1),
        // Wraps around to a size that memory can hold.
        (2 * ROOT + 2, ROOT / 2 + 2, 1),
        (usize::MAX, 1, 1),
        (1, usize::MAX, 1),
        (1, 1, usize::MAX),
        (1, 1, usize::MAX - 15),
        // Fits a size, but not an allocation.
        (usize::MAX / 64, 1, 16),
    ] {
        assert_eq!(
            map(height, width, channels),
            Err(BuildError::TooLarge),
            "{height} {width} {channels}"
        );
    }
}

#[test]
fn rejects_empty_maps() {
    for (height, width, channels) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        assert!(matches!(
            map(height, width, channels),
            Err(BuildError::Unsupported(_))
        ));
    }
}

#[test]
fn rejects_blocks_that_overflow() {
    let small = map(2, 2, 1).expect("a supported shape");
    let large = map(ROOT / 16, ROOT / 32, 1).expect("as much as memory can hold");
    for (input, expanded, output) in [
        (small, Some(usize::MAX), 1),
        (small, Some(ROOT * 8), ROOT / 8),
        (small, None, usize::MAX),
        (large, Some(64), 1),
        (large, None, 64),
        // The map fits, but not with the padding around it.
        (large, None, 16),
    ] {
        assert_eq!(
            BlockConfig::new(input, expanded, 5, 1, output),
            Err(BuildError::TooLarge),
            "{input:?} {expanded:?} {output}"
        );
    }
}

#[test]
fn rejects_blocks_that_are_not_supported() {
    let input = map(4, 4, 3).expect("a supported shape");
    for (expanded, kernel_size, stride, output) in [
        (None, 3, 0, 1),
        (None, 0, 1, 1),
        (None, 4, 1, 1),
        (None, usize::MAX, 1, 1),
        (None, 3, usize::MAX, 1),
        (Some(0), 3, 1, 1),
        (None, 3, 1, 0),
    ] {
        assert!(matches!(
            BlockConfig::new(input, expanded, kernel_size, stride, output),
            Err(BuildError::Unsupported(_))
        ));
    }
}

#[test]
fn rejects_stems_and_heads_that_overflow() {
    let conv = FoldedConv {
        weight: &[0.0; 27],
        bias: &[0.0],
    };
    for (height, width) in [(ROOT, ROOT), (usize::MAX, 1), (2 * ROOT + 2, ROOT / 2 + 2)] {
        let error = Stem::new(Isa::Scalar, height, width, conv).expect_err("too large");
        assert_eq!(error, BuildError::TooLarge, "{height} {width}");
    }
    let input = map(ROOT / 16, ROOT / 32, 1).expect("as much as memory can hold");
    let conv_head = FoldedConv {
        weight: &[0.0; 64],
        bias: &[0.0; 64],
    };
    let fc = FoldedConv {
        weight: &[0.0; 64],
        bias: &[0.0],
    };
    let error = Head::new(Isa::Scalar, input, conv_head, fc).expect_err("too large");
    assert_eq!(error, BuildError::TooLarge);
}

#[test]
fn rejects_architectures_that_overflow() {
    let stage = Stage {
        repeats: 1,
        kernel_size: 3,
        stride: 1,
        expand_ratio: 6,
        channels: 8,
    };
    let build = |image, stage, head, classes| Architecture::new(image, 8, &[stage], head, classes);
    assert!(build((8, 8), stage, 8, 8).is_ok());
    for (image, stage, head, classes) in [
        ((ROOT, ROOT), stage, 8, 8),
        (
            (8, 8),
            Stage {
                expand_ratio: usize::MAX,
                ..stage
            },
            8,
            8,
        ),
        (
            (8, 8),
            Stage {
                channels: usize::MAX,
                ..stage
            },
            8,
            8,
        ),
        ((8, 8), stage, usize::MAX, 8),
        ((8, 8), stage, 8, usize::MAX),
    ] {
        assert_eq!(
            build(image, stage, head, classes),
            Err(BuildError::TooLarge),
            "{image:?} {stage:?} {head} {classes}"
        );
    }
    for (stage, head, classes) in [
        (
            Stage {
                repeats: usize::MAX,
                ..stage
            },
            8,
            8,
        ),
        (
            Stage {
                expand_ratio: 0,
                ..stage
            },
            8,
            8,
        ),
        (stage, 0, 8),
        (stage, 8, 0),
    ] {
        assert!(matches!(
            build((8, 8), stage, head, classes),
            Err(BuildError::Unsupported(_))
        ));
    }
}
