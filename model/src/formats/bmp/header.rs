use crate::truncation::ROWS_PRESENT_MIN_SHARE;

/// Lengths of the headers and offsets in them, in bytes: the file's, then those of the image.
const FILE_HEADER: usize = 14;
const DATA_OFFSET_AT: usize = 10;
const CORE: u32 = 12;
const INFO: u32 = 40;
/// Lengths of the headers with masks for red, green and blue, and also for alpha.
const WITH_MASKS: u32 = 52;
const WITH_ALPHA_MASK: u32 = 56;
const HEADER_MAX: u32 = 124;
const OS2_MIN: u32 = 16;
const OS2_MAX: u32 = 64;

const MASKS_AT: usize = 40;
const COLOURS_MAX: usize = 256;
/// Blue, green, red and alpha in four bytes.
const BYTE_MASKS: [u32; 4] = [0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000];

/// A bitmap's description of itself, and its data.
pub(super) struct Header<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) top_down: bool,
    pub(super) coding: Coding,
    bits_per_pixel: u16,
    /// Masks for red, green, blue and alpha, if the pixels consist of such fields.
    masks: Option<[u32; 4]>,
    /// At most 256 colours: red, green, blue.
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) data: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Row by row, padded to four bytes.
    Rows,
    /// Runs of pixels with this many bits: 4, 8 or 24.
    RunLength(u16),
}

/// The number of bytes in a row, and how many pad it to a multiple of four.
pub(super) struct Row {
    pub(super) bytes: usize,
    pub(super) padding: usize,
}

/// Whether these bytes are a BMP file: its two letters alone could begin a text.
pub(crate) fn has_file_header(bytes: &[u8]) -> bool {
    let header = bytes.get(FILE_HEADER..).and_then(|rest| u32_at(rest, 0));
    header.is_none_or(is_header_size)
}

/// Whether these bytes are a bitmap without its file header. There is no signature, so all fields have to be consistent.
pub(crate) fn is_plausible_without_file_header(bytes: &[u8]) -> bool {
    let planes_at = if u32_at(bytes, 0) == Some(CORE) {
        8
    } else {
        12
    };
    if u16_at(bytes, planes_at) != Some(1) {
        return false;
    }
    let Some(header) = Header::of_bitmap(bytes) else {
        return false;
    };
    let row = header.row();
    let rows = header.data.len() as f64 / (row.bytes + row.padding).max(1) as f64;
    header.width > 0
        && header.height > 0
        && (header.coding != Coding::Rows
            || rows >= f64::from(header.height) * ROWS_PRESENT_MIN_SHARE)
}

fn is_header_size(size: u32) -> bool {
    size == CORE || (OS2_MIN..=HEADER_MAX).contains(&size)
}

impl<'a> Header<'a> {
    /// Parses a file. `None` if it is damaged or unsupported.
    pub(super) fn of_file(file: &'a [u8]) -> Option<Self> {
        let offset = usize::try_from(u32_at(file, DATA_OFFSET_AT)?).ok()?;
        Self::parse(file.get(FILE_HEADER..)?, offset.checked_sub(FILE_HEADER))
    }

    /// Parses a bitmap without the file's header: the pixels follow the palette.
    pub(super) fn of_bitmap(bytes: &'a [u8]) -> Option<Self> {
        Self::parse(bytes, None)
    }

    fn parse(bytes: &'a [u8], data_at: Option<usize>) -> Option<Self> {
        let size = u32_at(bytes, 0).filter(|&size| is_header_size(size))?;
        let header = bytes.get(..usize::try_from(size).ok()?)?;
        // The oldest headers are shorter: fields that they lack are zero.
        let field = |at| u32_at(header, at).unwrap_or(0);
        let (width, rows, bits_per_pixel) = if size == CORE {
            let length = |at| u16_at(header, at).map(i32::from);
            (length(4)?, length(6)?, u16_at(header, 10)?)
        } else {
            let length = |at| u32_at(header, at).map(u32::cast_signed);
            (length(4)?, length(8)?, u16_at(header, 14)?)
        };
        // The number of planes, the field before this one, always counts as 1.
        let os2 = (OS2_MIN..=OS2_MAX).contains(&size)
            && ![INFO, WITH_MASKS, WITH_ALPHA_MASK].contains(&size);
        let compression = field(16);
        let (coding, has_masks) = match (compression, bits_per_pixel) {
            (0, 1 | 2 | 4 | 8 | 16 | 24 | 32) => (Coding::Rows, false),
            (1, 8) | (2, 4) => (Coding::RunLength(bits_per_pixel), false),
            // A JPEG in a bitmap has the same code, but 0 bits per pixel.
            (4, 24) if os2 || size == INFO => (Coding::RunLength(24), false),
            (3 | 6, 16 | 32) if !os2 => (Coding::Rows, true),
            _ => return None,
        };
        let mut end = header.len();
        let masks = if !has_masks {
            None
        } else {
            // The masks follow the shortest header; longer headers contain them.
            if size < WITH_MASKS {
                end += if compression == 6 { 16 } else { 12 };
            }
            let has_alpha = size >= WITH_ALPHA_MASK || compression == 6;
            let mask = |index| match index {
                3 if !has_alpha => Some(0),
                _ => u32_at(bytes, MASKS_AT + 4 * index),
            };
            Some([mask(0)?, mask(1)?, mask(2)?, mask(3)?])
        };
        let colours = field(32) as usize;
        let entry_bytes = if size == CORE { 3 } else { 4 };
        let palette = bytes.get(end..)?;
        let palette_length = match (colours, bits_per_pixel) {
            (0, 1..=8) => 1 << bits_per_pixel,
            // Colours beyond those that the pixels' bits can name are skipped. Deeper images may also have a palette, for
            // simpler screens.
            _ => colours,
        };
        let palette_end = end.saturating_add(palette_length.saturating_mul(entry_bytes));
        let data_at = data_at
            .filter(|&at| at >= end && at < bytes.len())
            .unwrap_or(palette_end);
        let palette = &palette[..palette.len().min(data_at.min(palette_end) - end)];
        let colours = palette.chunks_exact(entry_bytes).take(COLOURS_MAX);
        Some(Self {
            width: u32::try_from(width).ok()?,
            height: rows.unsigned_abs(),
            top_down: rows < 0,
            coding,
            bits_per_pixel,
            masks,
            palette: if bits_per_pixel <= 8 {
                colours
                    .map(|colour| [colour[2], colour[1], colour[0]])
                    .collect()
            } else {
                Vec::new()
            },
            data: bytes.get(data_at..).unwrap_or_default(),
        })
    }

    /// Takes the fourth byte of a pixel for its alpha, as icons do.
    pub(super) fn read_alpha(&mut self) {
        if self.bits_per_pixel == 32 && self.masks.is_none() {
            self.masks = Some(BYTE_MASKS);
        }
    }

    /// Whether the pixels have 32 bits and the alpha of any is above zero. Otherwise their writer did not mean it as alpha.
    pub(super) fn uses_alpha(&self) -> bool {
        let alpha = match self.masks {
            Some([.., alpha]) if self.bits_per_pixel == 32 => alpha,
            _ => return false,
        };
        let pixels = (self.width as usize).saturating_mul(self.height as usize);
        let (fields, _) = self.data.as_chunks::<4>();
        let mut fields = fields.iter().take(pixels);
        fields.any(|&pixel| u32::from_le_bytes(pixel) & alpha != 0)
    }

    /// The length of a row.
    pub(super) fn row(&self) -> Row {
        let bits = u64::from(self.width) * u64::from(self.bits_per_pixel);
        let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX - 3);
        Row {
            bytes,
            padding: bytes.next_multiple_of(4) - bytes,
        }
    }

    /// The bitmap's first `rows` rows, with a header of the most common kind.
    pub(super) fn plain(&self, rows: u32) -> Vec<u8> {
        let size = if self.masks.is_some() {
            WITH_ALPHA_MASK
        } else {
            INFO
        };
        let row = self.row();
        let data_bytes = (row.bytes + row.padding) * rows as usize;
        let mut plain = Vec::with_capacity(size as usize + COLOURS_MAX * 4 + data_bytes);
        // There are at most as many rows as bytes, because no row is empty.
        let rows = i32::try_from(rows).unwrap_or(i32::MAX);
        let rows = if self.top_down { -rows } else { rows };
        let width = i32::try_from(self.width).unwrap_or(i32::MAX);
        plain.extend([size.to_le_bytes(), width.to_le_bytes(), rows.to_le_bytes()].concat());
        plain.extend([1u16, self.bits_per_pixel].map(u16::to_le_bytes).concat());
        let compression = if self.masks.is_some() { 3 } else { 0 };
        plain.extend([compression, 0, 0, 0, 0, 0].map(u32::to_le_bytes).concat());
        if let Some(masks) = self.masks {
            plain.extend(masks.map(u32::to_le_bytes).concat());
        }
        if self.bits_per_pixel <= 8 {
            let colours = 1 << self.bits_per_pixel;
            let entries = self
                .palette
                .iter()
                .map(|&[red, green, blue]| [blue, green, red, 0]);
            let black = std::iter::repeat([0; 4]);
            plain.extend(entries.chain(black).take(colours).flatten());
        }
        let begin = plain.len();
        plain.extend(&self.data[..self.data.len().min(data_bytes)]);
        plain.resize(begin + data_bytes, 0);
        plain
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
