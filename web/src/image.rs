//! Images that were picked: their dimensions, and smaller copies of large ones.

pub(crate) mod dimensions;
pub(crate) mod picked;
pub(crate) mod sample;
pub(crate) mod shrink;
