//! The image on the page: whole, cut to the network's square, or under a heatmap.

pub(crate) mod drawing;
pub(crate) mod frame;
pub(crate) mod heat;
pub(crate) mod lens;
pub(crate) mod square;
