//! Decodes the part of a JPEG that a classifier looks at, scaled down by 2, 4 or 8 while it is decoded.
//!
//! The pixels are those of libjpeg-turbo with its default settings (accurate integer DCT, triangle-shaped chroma
//! upsampling), bit for bit, at each scale. It is fast because of what it leaves out: blocks outside the region are parsed
//! but not transformed, rows below it are not even parsed, and at 1/8 most coefficients are skipped several at a time.
//!
//! It supports Huffman-coded JPEGs of 8 bits, sequential and progressive: grey, Y'CbCr, RGB, CMYK and YCCK, with any
//! integer sampling factors. Files with one interleaved scan are decoded while they are read. For other files the
//! coefficients that the region needs are stored first. Everything else is [`Error::Unsupported`]. Damaged and cut files
//! give the pixels that libjpeg gives; [`Rgb::rows_present`] says how much of a truncated file is present. The crate knows
//! nothing of the content of Exif, of orientation, colour profiles, files, or what the pixels are for.
//!
//! It was written from ITU-T T.81 (the format), C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical fast 1-D DCT
//! algorithms with 11 multiplications" (ICASSP 1989; the transform) and JFIF 1.02 (colour). Where those leave the rounding
//! open it follows libjpeg 6b and libjpeg-turbo, whose sources were consulted for that.
//!
//! ```no_run
//! use imageclassifier_jpeg::{Error, Jpeg, Region, Scale};
//!
//! fn top_left_of_the_eighth(bytes: &[u8]) -> Result<Vec<u8>, Error> {
//!     let jpeg = Jpeg::parse(bytes)?;
//!     let region = Region { left: 0, top: 0, width: 16, height: 16 };
//!     Ok(jpeg.decode(Scale::Eighth, region)?.into_pixels())
//! }
//! ```
#![forbid(unsafe_code)]

mod application;
mod bits;
mod block;
mod buffered;
mod channel;
mod coefficients;
mod colour;
mod decode;
mod error;
mod frame;
mod header;
mod huffman;
mod idct;
mod level;
mod marker;
mod output;
mod pass;
mod plane;
mod progressive;
mod region;
mod restart;
mod scan;
mod skips;
mod standard;
mod tables;
mod upsample;
mod vector;

pub use decode::Jpeg;
pub use error::Error;
pub use region::{Region, Rgb, Scale};
