//! The first image of a TIFF file. Strips and tiles are decoded one by one, so that a cut file gives the rows that it has,
//! and only the image is held in memory.

mod bounds;
mod colour;
mod compression;
mod directory;
mod palette;
mod partial;
mod zero_padded;

use std::{borrow::Cow, io::ErrorKind};

use ::tiff::{
    TiffError,
    decoder::{ChunkType, Decoder, DecodingResult, Limits},
    tags::{CompressionMethod, PlanarConfiguration, Tag},
};
use image::{ImageFormat, metadata::Orientation};

use self::{colour::Colour, zero_padded::ZeroPadded};
use super::{Decoded, pixels::to_8_bits};
use crate::{
    InvalidImage,
    dimensions::check_dimensions,
    error::{undecodable, undecodable_because},
    truncation::check_rows,
};

type FileDecoder<'a> = Decoder<ZeroPadded<'a>>;

/// Decodes the first image.
///
/// # Errors
/// [`InvalidImage::Dimensions`], [`InvalidImage::Truncated`], [`InvalidImage::Undecodable`].
pub(crate) fn decode(file: &[u8], pixels_max: u64) -> Result<Decoded, InvalidImage> {
    directory::check(file)?;
    let mut decoder = open(file, pixels_max)?;
    let (width, height) = decoder.dimensions().map_err(failed)?;
    check_dimensions(width, height, pixels_max)?;
    compression::check(tag(&mut decoder, Tag::Compression)?.unwrap_or(1))?;
    let patched: Cow<'_, [u8]>;
    let mut colours = None;
    if let Some(found) = palette::find(&mut decoder, file).map_err(failed)? {
        // The decoder does not support palettes: its file says that the indices are shades of grey.
        patched = found.patched.into();
        colours = Some(found.colours);
        decoder = open(&patched, pixels_max)?;
    }
    bounds::check(&mut decoder, file)?;
    let orientation = tag(&mut decoder, Tag::Orientation)?
        .and_then(|value| Orientation::from_exif(u8::try_from(value).ok()?));
    let layout = Layout::read(&mut decoder, file, colours)?;
    if !layout.is_compressed() {
        decoder.inner().pad();
    }
    if tag(&mut decoder, Tag::FillOrder)? == Some(LOWEST_BIT_FIRST) && !layout.is_jpeg() {
        // After the directory and its lists have been read: only pixels have this order.
        decoder.inner().reverse_bits();
    }
    let (samples, rows_present) = layout.read_chunks(&mut decoder)?;
    check_rows(rows_present, height)?;
    Ok(Decoded {
        pixels: layout.colour.image(width, height, samples, rows_present),
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

/// The value of [`Tag::FillOrder`] that is not the usual one. JPEG has its own order.
const LOWEST_BIT_FIRST: u32 = 2;

fn open(file: &[u8], pixels_max: u64) -> Result<FileDecoder<'_>, InvalidImage> {
    /// 16-bit RGBA, the most that is decoded at once: an image in a single strip.
    const CHUNK_BYTES_PER_PIXEL: u64 = 8;
    let mut limits = Limits::default();
    let chunk_bytes = pixels_max.saturating_mul(CHUNK_BYTES_PER_PIXEL);
    limits.decoding_buffer_size = usize::try_from(chunk_bytes).unwrap_or(usize::MAX);
    let decoder = Decoder::new(ZeroPadded::new(file)).map_err(|error| match error {
        TiffError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            directory::truncated()
        }
        error => failed(error),
    })?;
    Ok(decoder.with_limits(limits))
}

fn failed(error: TiffError) -> InvalidImage {
    undecodable(ImageFormat::Tiff, error)
}

fn tag(decoder: &mut FileDecoder<'_>, tag: Tag) -> Result<Option<u32>, InvalidImage> {
    decoder.find_tag_unsigned(tag).map_err(failed)
}

/// Bits per sample that are decoded. The decoder hands out samples of other lengths as they are packed in the file.
const SAMPLE_BITS: [u8; 6] = [1, 2, 4, 8, 16, 32];

/// The layout of the samples in the file.
struct Layout<'a> {
    file: &'a [u8],
    width: u32,
    height: u32,
    bits: u32,
    colour: Colour,
    /// Whether each channel has its own chunks.
    planar: bool,
    compression: u32,
    chunk_width: u32,
    chunk_height: u32,
    offsets: Vec<u64>,
    byte_counts: Vec<u64>,
}

impl<'a> Layout<'a> {
    fn read(
        decoder: &mut FileDecoder<'_>,
        file: &'a [u8],
        colours: Option<Vec<[u8; 3]>>,
    ) -> Result<Self, InvalidImage> {
        let (width, height) = decoder.dimensions().map_err(failed)?;
        let color_type = decoder.colortype().map_err(failed)?;
        let bits = color_type.bit_depth();
        if !SAMPLE_BITS.contains(&bits) {
            let problem = format!("samples of {bits} bits");
            return Err(undecodable(ImageFormat::Tiff, problem));
        }
        let alpha = tag(decoder, Tag::ExtraSamples).ok().flatten();
        let colour = Colour::of(color_type, alpha, colours)
            .ok_or_else(|| undecodable(ImageFormat::Tiff, "colours of an unusual kind"))?;
        let planar = tag(decoder, Tag::PlanarConfiguration)?
            == Some(u32::from(PlanarConfiguration::Planar.to_u16()));
        let compression = tag(decoder, Tag::Compression)?.unwrap_or(1);
        let (chunk_width, chunk_height) = decoder.chunk_dimensions();
        let (offsets, byte_counts) = match decoder.get_chunk_type() {
            ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
            ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
        };
        let offsets = decoder.find_tag_unsigned_vec(offsets).map_err(failed)?;
        let byte_counts = decoder.find_tag_unsigned_vec(byte_counts).map_err(failed)?;
        let layout = Self {
            file,
            width,
            height,
            bits: bits.into(),
            colour,
            planar,
            compression,
            chunk_width,
            chunk_height: chunk_height.min(height),
            offsets: offsets.unwrap_or_default(),
            byte_counts: byte_counts.unwrap_or_default(),
        };
        // The decoder takes the two components for three, of YCbCr (zune-jpeg 0.5).
        if layout.is_jpeg() && layout.chunk_channels() == 2 {
            return Err(undecodable_because(
                ImageFormat::Tiff,
                "the TIFF is grey with alpha or another channel and compressed with JPEG, which is not supported: \
                 save it as PNG, or as TIFF with LZW",
            ));
        }
        Ok(layout)
    }

    fn is_compressed(&self) -> bool {
        self.compression != u32::from(CompressionMethod::None.to_u16())
    }

    fn is_jpeg(&self) -> bool {
        self.compression == u32::from(CompressionMethod::ModernJPEG.to_u16())
    }

    /// Number of samples per pixel of a chunk.
    fn chunk_channels(&self) -> usize {
        if self.planar {
            1
        } else {
            self.colour.stored_channels()
        }
    }

    /// Number of bits per pixel of a chunk.
    fn pixel_bits(&self) -> u64 {
        u64::from(self.bits) * self.chunk_channels() as u64
    }

    /// Number of samples in a row of the image.
    fn row_samples(&self) -> usize {
        self.width as usize * self.colour.stored_channels()
    }

    /// The samples with 8 bits each, row by row, and how many rows are there.
    fn read_chunks(&self, decoder: &mut FileDecoder<'_>) -> Result<(Vec<u8>, u32), InvalidImage> {
        let across = self.width.div_ceil(self.chunk_width);
        let down = self.height.div_ceil(self.chunk_height);
        let planes = if self.planar {
            self.colour.stored_channels()
        } else {
            1
        };
        let mut samples = vec![0; self.row_samples() * self.height as usize];
        for row in 0..down {
            let top = row * self.chunk_height;
            let rows = self.chunk_height.min(self.height - top);
            let mut rows_present = rows;
            for (plane, column) in
                (0..planes).flat_map(|plane| (0..across).map(move |x| (plane, x)))
            {
                let plane_chunk = u32::try_from(plane).expect("a few") * across * down;
                let chunk = plane_chunk + row * across + column;
                let decoded = match decoder.read_chunk(chunk) {
                    Ok(decoded) => Some((decoded, self.rows_present(chunk))),
                    // The data end early or are damaged. Other errors come before they are read.
                    Err(TiffError::IoError(_)) => partial::read(decoder, chunk, self.pixel_bits()),
                    Err(_) => None,
                };
                let decoded = decoded.and_then(|(result, rows)| {
                    let bytes = self.to_bytes(result, chunk, decoder)?;
                    Some((bytes, rows))
                });
                let Some((bytes, chunk_rows)) = decoded else {
                    if row == 0 && self.is_in_file(chunk) {
                        return Err(undecodable(
                            ImageFormat::Tiff,
                            "a kind of samples or compression",
                        ));
                    }
                    return Ok((samples, top));
                };
                rows_present = rows_present.min(chunk_rows);
                self.place(
                    &bytes,
                    decoder.chunk_data_dimensions(chunk),
                    (column * self.chunk_width, top),
                    plane,
                    &mut samples,
                );
            }
            if rows_present < rows {
                return Ok((samples, top + rows_present));
            }
        }
        Ok((samples, self.height))
    }

    /// Whether the file reaches the end of a chunk.
    fn is_in_file(&self, chunk: u32) -> bool {
        let of_chunk = |list: &[u64]| list.get(chunk as usize).copied().unwrap_or(u64::MAX);
        let end = of_chunk(&self.offsets).saturating_add(of_chunk(&self.byte_counts));
        end <= self.file.len() as u64
    }

    /// How many rows of an uncompressed chunk the file contains. (Beyond its end the reader returns zeros.)
    fn rows_present(&self, chunk: u32) -> u32 {
        if self.is_compressed() {
            return u32::MAX;
        }
        let offset = self
            .offsets
            .get(chunk as usize)
            .copied()
            .unwrap_or(u64::MAX);
        let bytes = (self.file.len() as u64).saturating_sub(offset);
        let row_bits = u64::from(self.chunk_width) * self.pixel_bits();
        u32::try_from(bytes / row_bits.div_ceil(8).max(1)).unwrap_or(u32::MAX)
    }

    /// Converts the samples of a chunk to 8 bits; `None` if their type is not supported.
    fn to_bytes(
        &self,
        decoded: DecodingResult,
        chunk: u32,
        decoder: &FileDecoder<'_>,
    ) -> Option<Vec<u8>> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "conversion from floating point saturates"
        )]
        let from_float = |value: f32| (value * 255.0).round() as u8;
        Some(match decoded {
            DecodingResult::U8(bytes) if self.bits < 8 => {
                let (width, _) = decoder.chunk_data_dimensions(chunk);
                self.unpack(&bytes, width)
            }
            DecodingResult::U8(bytes) => bytes,
            DecodingResult::U16(values) => values.into_iter().map(to_8_bits).collect(),
            DecodingResult::U32(values) => values.into_iter().map(|v| v.to_be_bytes()[0]).collect(),
            DecodingResult::F32(values) => values.into_iter().map(from_float).collect(),
            DecodingResult::F16(values) => values
                .into_iter()
                .map(|value| from_float(value.to_f32()))
                .collect(),
            _ => return None,
        })
    }

    /// Unpacks samples of 1, 2 or 4 bits. Each row begins at a byte.
    fn unpack(&self, packed: &[u8], width: u32) -> Vec<u8> {
        let samples = width as usize * self.chunk_channels();
        let bits = self.bits as usize;
        let row_bytes = (samples * bits).div_ceil(8);
        let mask = (1u8 << bits) - 1;
        let scale = if self.colour.is_indexed() {
            1
        } else {
            255 / mask
        };
        let rows = packed.chunks_exact(row_bytes.max(1));
        rows.flat_map(|row| {
            (0..samples).map(move |index| {
                let bit = index * bits;
                (row[bit / 8] >> (8 - bits - bit % 8) & mask) * scale
            })
        })
        .collect()
    }

    /// Copies a chunk to its place in the image, at `left`, `top`.
    fn place(
        &self,
        bytes: &[u8],
        (chunk_width, chunk_height): (u32, u32),
        (left, top): (u32, u32),
        plane: usize,
        samples: &mut [u8],
    ) {
        let stored = self.colour.stored_channels();
        let chunk_row = chunk_width as usize * self.chunk_channels();
        // Of planes after the first, the decoder also hands out the lowest tiles' padding (tiff 0.11.3).
        let height = chunk_height.min(self.height - top);
        let rows = bytes.chunks_exact(chunk_row.max(1)).take(height as usize);
        for (y, row) in rows.enumerate() {
            let begin = (top as usize + y) * self.row_samples() + left as usize * stored;
            let place = &mut samples[begin..begin + chunk_width as usize * stored];
            if self.planar {
                for (pixel, &sample) in place.chunks_exact_mut(stored).zip(row) {
                    pixel[plane] = sample;
                }
            } else {
                place.copy_from_slice(row);
            }
        }
    }
}

#[cfg(test)]
mod tests;
