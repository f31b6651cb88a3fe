//! The two layouts, and steps that copy.

use super::kernel::Kernel;
use crate::scratch::Scratch;
use crate::{MapShape, ThreadTeam};

/// How a value lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Row-major, in the order of its axes.
    Rows,
    /// `[height, width, channels]`, the channels padded: a [`MapShape`].
    Map,
}

/// Copies what it reads.
#[derive(Debug)]
pub(super) struct Copy;

impl Kernel for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn run(&self, _: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let len = inputs[0].len().min(output.len());
        output[..len].copy_from_slice(&inputs[0][..len]);
    }
}

/// From one layout to the other.
#[derive(Debug)]
pub(super) struct Relayout {
    pub(super) shape: MapShape,
    pub(super) to: Layout,
}

/// Pixels whose channels are moved together, so that both sides are read and written in whole cache lines.
const TILE: usize = 16;

impl Kernel for Relayout {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn run(&self, _: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let (pixels, channels, stride) = (
            self.shape.pixels(),
            self.shape.channels(),
            self.shape.channel_stride(),
        );
        let input = inputs[0];
        for first in (0..pixels).step_by(TILE) {
            let tile = first..(first + TILE).min(pixels);
            for c in 0..channels {
                for pixel in tile.clone() {
                    let (row, map) = (c * pixels + pixel, pixel * stride + c);
                    match self.to {
                        Layout::Rows => output[row] = input[map],
                        Layout::Map => output[map] = input[row],
                    }
                }
            }
        }
    }
}
