//! The image on the page: whole, cut to the network's square, or under a heatmap.

mod controls;
mod drawing;
pub(crate) mod frame;
mod heat;
mod seen;
mod source;
