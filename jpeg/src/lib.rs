//! Decodes the part of a JPEG that a classifier looks at, scaled down by 2, 4 or 8 while it is decoded.
//!
//! The pixels are those of libjpeg-turbo with its default settings (accurate integer DCT, triangle-shaped chroma
//! upsampling), bit for bit, at each scale. What makes it fast is what it leaves out: blocks outside the region are
//! parsed but not transformed, rows below it are not even parsed, and at 1/8 most coefficients are skipped several at a
//! time.
//!
//! It takes Huffman-coded sequential JPEGs of 8 bits with one interleaved scan, grey, Y'CbCr or RGB, and says
//! [`Error::Unsupported`] to the rest and [`Error::Damaged`] at the first irregularity, so that a complete decoder can
//! be asked. It knows nothing of what metadata says, of orientation, colour profiles, files, or what the pixels are for.
//!
//! Written from ITU-T T.81 (the format), C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical fast 1-D DCT algorithms
//! with 11 multiplications" (ICASSP 1989; the transform) and JFIF 1.02 (colour). Where those leave the rounding open it
//! follows libjpeg 6b and libjpeg-turbo, whose sources were read for it.
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

mod bits;
mod block;
mod channel;
mod colour;
mod decode;
mod error;
mod header;
mod huffman;
mod idct;
mod marker;
mod plane;
mod region;
mod scan;
mod upsample;
mod vector;

pub use decode::Jpeg;
pub use error::Error;
pub use region::{Region, Rgb, Scale};
