//! How images come to the page: picked, dropped, pasted, fetched from another site, or one of the page's samples.

pub(crate) mod address;
pub(crate) mod drop_zone;
pub(crate) mod dropped;
pub(crate) mod input_file;
pub(crate) mod paste;
pub(crate) mod pick_buttons;
pub(crate) mod samples;
mod transfer;
