//! A reader for each format but JPEG. Each takes a file's bytes and gives 8-bit pixels as stored, having checked the dimensions
//! before anything is allocated by them.

pub(crate) mod bmp;
mod exif;
pub(crate) mod gif;
pub(crate) mod ico;
mod pixels;
pub(crate) mod png;
pub(crate) mod pnm;
pub(crate) mod qoi;
pub(crate) mod tga;
pub(crate) mod tiff;
pub(crate) mod webp;

pub(crate) use pixels::Decoded;
