//! Images that were picked: their format, size and orientation, and copies that the browser draws.

pub(crate) mod decoded;
mod dimensions;
mod format;
mod object_url;
mod orientation;
pub(crate) mod picked;
pub(crate) mod read;
pub(crate) mod sample;
pub(crate) mod shrink;
