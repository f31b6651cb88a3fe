use imageclassifier_kernels::{Architecture, Stage};

use crate::labels::CLASSES;

/// Channels after `conv_stem`, and after `conv_head`. Neither is scaled.
const STEM_CHANNELS: usize = 32;
const HEAD_CHANNELS: usize = 1280;

/// EfficientNet-Lite0's stages: repeats, kernel size, stride, expand ratio, channels.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];

/// A member of the EfficientNet-Lite family for images of `side` x `side` pixels, with channels and repeats multiplied by
/// tenths: <https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite>.
///
/// Stem, head, and the repeats of the first and last stage are not scaled.
pub(crate) fn efficientnet_lite(
    side: usize,
    width_tenths: usize,
    depth_tenths: usize,
) -> Architecture {
    let last = STAGES.len() - 1;
    let scale = |i: usize| {
        let (repeats, kernel_size, stride, expand_ratio, channels) = STAGES[i];
        let is_scaled = i != 0 && i != last;
        Stage {
            repeats: if is_scaled {
                (repeats * depth_tenths).div_ceil(10)
            } else {
                repeats
            },
            kernel_size,
            stride,
            expand_ratio,
            channels: scaled_channels(channels, width_tenths),
        }
    };
    let stages: [Stage; STAGES.len()] = std::array::from_fn(scale);
    Architecture::new((side, side), STEM_CHANNELS, &stages, HEAD_CHANNELS, CLASSES)
        .expect("the kernels support the family")
}

/// `channels` times a width multiplier, rounded to a multiple of 8, but never down by more than a tenth.
fn scaled_channels(channels: usize, width_tenths: usize) -> usize {
    if width_tenths == 10 {
        return channels;
    }
    let tenths = channels * width_tenths;
    let rounded = ((tenths + 40) / 80 * 8).max(8);
    if rounded * 100 < tenths * 9 {
        rounded + 8
    } else {
        rounded
    }
}

#[cfg(test)]
mod tests {
    use crate::Variant;

    #[test]
    fn the_family_has_the_published_shapes() {
        for (variant, channels, blocks, last_side) in [
            (Variant::Lite0, [16, 24, 40, 80, 112, 192, 320], 16, 7),
            (Variant::Lite1, [16, 24, 40, 80, 112, 192, 320], 21, 8),
            (Variant::Lite2, [16, 24, 48, 88, 120, 208, 352], 21, 9),
        ] {
            let architecture = variant.architecture();
            assert_eq!(architecture.blocks().len(), blocks);
            assert_eq!(architecture.last_map().height(), last_side);
            let mut widths: Vec<_> = architecture
                .blocks()
                .iter()
                .map(|block| block.output().channels())
                .collect();
            widths.dedup();
            assert_eq!(widths, channels);
        }
    }
}
