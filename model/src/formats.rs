//! One reader per format other than JPEG. Each takes a file's bytes and returns 8-bit pixels as stored. It checks the
//! dimensions before it allocates anything of their size.

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
