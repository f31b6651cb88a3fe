//! The first image of a TIFF file. Strips and tiles are decoded one by one, so that a cut file gives the rows that it has,
//! and only the image is held in memory.

mod bounds;
mod colour;
mod directory;
mod palette;
mod zero_padded;

use std::borrow::Cow;

use ::tiff::{
    TiffError,
    decoder::{ChunkType, Decoder, DecodingResult, Limits},
    tags::{CompressionMethod, PlanarConfiguration, Tag},
};
use image::{ImageFormat, metadata::Orientation};

use self::{colour::Colour, zero_padded::ZeroPadded};
use super::{Decoded, pixels::to_8_bits};
use crate::{
    InvalidImage, dimensions::check_dimensions, error::undecodable, truncation::check_rows,
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
    if !layout.is_compressed {
        decoder.inner().pad();
    }
    let (samples, rows_present) = layout.read_chunks(&mut decoder)?;
    check_rows(rows_present, height)?;
    Ok(Decoded {
        pixels: layout.colour.image(width, height, samples, rows_present),
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

fn open(file: &[u8], pixels_max: u64) -> Result<FileDecoder<'_>, InvalidImage> {
    /// 16-bit RGBA, the most that is decoded at once: an image in a single strip.
    const CHUNK_BYTES_PER_PIXEL: u64 = 8;
    let mut limits = Limits::default();
    let chunk_bytes = pixels_max.saturating_mul(CHUNK_BYTES_PER_PIXEL);
    limits.decoding_buffer_size = usize::try_from(chunk_bytes).unwrap_or(usize::MAX);
    let decoder = Decoder::new(ZeroPadded::new(file)).map_err(failed)?;
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
    is_compressed: bool,
    chunk_width: u32,
    chunk_height: u32,
    offsets: Vec<u64>,
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
        let offsets = match decoder.get_chunk_type() {
            ChunkType::Strip => Tag::StripOffsets,
            ChunkType::Tile => Tag::TileOffsets,
        };
        let offsets = decoder.find_tag_unsigned_vec(offsets).map_err(failed)?;
        Ok(Self {
            file,
            width,
            height,
            bits: bits.into(),
            colour,
            planar,
            is_compressed: compression != u32::from(CompressionMethod::None.to_u16()),
            chunk_width,
            chunk_height: chunk_height.min(height),
            offsets: offsets.unwrap_or_default(),
        })
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
            for (plane, column) in
                (0..planes).flat_map(|plane| (0..across).map(move |x| (plane, x)))
            {
                let plane_chunk = u32::try_from(plane).expect("a few") * across * down;
                let chunk = plane_chunk + row * across + column;
                let decoded = decoder.read_chunk(chunk);
                let Some(bytes) = decoded
                    .ok()
                    .and_then(|result| self.to_bytes(result, chunk, decoder))
                else {
                    if row == 0 && self.begins_in_file(chunk) {
                        return Err(undecodable(
                            ImageFormat::Tiff,
                            "a kind of samples or compression",
                        ));
                    }
                    return Ok((samples, top));
                };
                self.place(
                    &bytes,
                    decoder.chunk_data_dimensions(chunk),
                    (column * self.chunk_width, top),
                    plane,
                    &mut samples,
                );
                let rows_present = self.rows_present(chunk);
                if rows_present < self.chunk_height.min(self.height - top) {
                    return Ok((samples, top + rows_present));
                }
            }
        }
        Ok((samples, self.height))
    }

    /// Whether the file reaches the beginning of a chunk.
    fn begins_in_file(&self, chunk: u32) -> bool {
        let offset = self
            .offsets
            .get(chunk as usize)
            .copied()
            .unwrap_or(u64::MAX);
        offset < self.file.len() as u64
    }

    /// How many rows of an uncompressed chunk the file contains. (Beyond its end the reader returns zeros.)
    fn rows_present(&self, chunk: u32) -> u32 {
        if self.is_compressed {
            return u32::MAX;
        }
        let offset = self
            .offsets
            .get(chunk as usize)
            .copied()
            .unwrap_or(u64::MAX);
        let bytes = (self.file.len() as u64).saturating_sub(offset);
        let channels = if self.planar {
            1
        } else {
            self.colour.stored_channels()
        };
        let row_bits = u64::from(self.chunk_width) * u64::from(self.bits) * channels as u64;
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
        let channels = if self.planar {
            1
        } else {
            self.colour.stored_channels()
        };
        let samples = width as usize * channels;
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
        let channels = if self.planar { 1 } else { stored };
        let chunk_row = chunk_width as usize * channels;
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
