//! What a block writes on its way.

use super::Block;
use crate::buffer::Buffer;

/// The intermediate results of a block. One serves all blocks that it was made for, one after the other.
#[derive(Debug)]
pub struct Scratch {
    /// Rows of the input as `expand_conv` reads them, where that is not as they are.
    pub(super) converted: Buffer,
    pub(super) ring: Buffer,
    pub(super) depthwise: Buffer,
}

impl Scratch {
    /// Room for any of `blocks`.
    pub fn new<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Self {
        let (converted, ring, depthwise) =
            blocks
                .into_iter()
                .fold((0, 0, 0), |(converted, ring, depthwise), block| {
                    (
                        converted.max(block.plan.converted_len),
                        ring.max(block.plan.ring_groups * block.plan.ring_len()),
                        depthwise.max(block.plan.depthwise_len),
                    )
                });
        Self {
            converted: Buffer::zeroed(converted),
            ring: Buffer::zeroed(ring),
            depthwise: Buffer::zeroed(depthwise),
        }
    }
}
